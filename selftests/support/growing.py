# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence that is grown sample by sample, and how it differs from that of a trace."""

from dataclasses import replace
from typing import Any

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.growing import GrowingEvidence
from avocado_migdowntime.oracle.passes import Pass
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.verdict.judge import judge


def prefix(trace: Trace, count: int) -> Trace:
    """The trace after its first `count` samples, at least one; after the last one, all of it."""
    if count == len(trace.samples):
        return trace
    until_s = float(trace.samples.t_s[count])
    return replace(trace, samples=trace.samples[:count], events=tuple(e for e in trace.events if e.t_s <= until_s))


def fed(evidence: GrowingEvidence, trace: Trace, begin: int, end: int) -> None:
    """Pass it the samples of `trace` from `begin` to before `end`, and the events of that time.

    An event comes before a sample of the same moment, as a harness passes them.
    """
    since_s = float(trace.samples.t_s[begin]) if begin else float("-inf")
    until_s = float(trace.samples.t_s[end]) if end < len(trace.samples) else float("inf")
    events = [event for event in trace.events if since_s < event.t_s <= until_s]
    for sample in trace.samples[begin:end]:
        while events and events[0].t_s <= sample.t_s:
            evidence.event(events.pop(0))
        evidence.sample(sample)
    for event in events:
        evidence.event(event)


def grown(trace: Trace) -> Evidence:
    """The evidence of a whole trace, grown without asking for it before its end."""
    evidence = GrowingEvidence(trace.header)
    fed(evidence, trace, 0, len(trace.samples))
    return evidence.evidence()


def differences(evidence: Evidence, trace: Trace) -> list[str]:
    """How this evidence, and what follows from it, differs from that of the trace."""
    expected = Evidence.of(trace)
    told: dict[str, tuple[Any, Any]] = {
        "passes": (list(map(_figures, evidence.passes)), list(map(_figures, expected.passes))),
        "samples": (evidence.samples, expected.samples),
        "limits": (evidence.limits, expected.limits),
        "stopped_s": (evidence.stopped_s, expected.stopped_s),
        "events": (evidence.trace.events, expected.trace.events),
        "verdict": (judge(evidence), judge(expected)),
        "advice": (advise(evidence), advise(expected)),
    }
    return [f"{name}: {one} is not {other}" for name, (one, other) in told.items() if one != other]


def _figures(one: Pass) -> tuple[object, ...]:
    samples = one.samples
    return one.number, len(samples), one.begin_s, one.end_s, one.begin_bytes, one.end_bytes, one.spread_bytes
