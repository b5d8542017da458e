# SPDX-License-Identifier: GPL-2.0-or-later
"""Did the migration converge under the downtime-limits that were tried on it, and should it have?

A harness sets limits one after the other and notes each as an event `LIMIT`, with the name of the trial:

| trial     | limit                                       | right if |
| --------- | ------------------------------------------- | -------- |
| `default` | QEMU's own 300 ms                           | the migration goes on |
| `below`   | half of what is needed                      | the migration goes on |
| `chosen`  | a little more than what is needed, or what QEMU reports to be | it completes at the next sync |

What is needed is what the oracle found at the syncs before, divided by the bandwidth.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

from ..errors import UsageError
from ..oracle.passes import Pass, Sync, passes, syncs
from ..prediction.advise import converges
from ..prediction.observed import history
from ..trace.model import FINISH, HARNESS, LIMIT, Event, Trace, number
from .limit import BURST_MS, SLACK, LimitFinding, LimitJudgement, judge_limit

TRIES_LIMITS = "tries_limits"
"""Key of the header of a trace whose harness set out to try limits."""
DEFAULT, BELOW, CHOSEN = "default", "below", "chosen"
SETTLED_S = 0.15
"""A pass that was seen for longer is one, and not the switchover, whose syncs count as well."""


class ConvergenceJudgement(StrEnum):
    """Did each limit do what it should?"""

    RIGHT = "right"
    WRONG = "wrong"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Trial:
    """What one limit did: how many passes began under it, whether it completed the migration, where passes ended.

    `missed` counts the syncs under it at which all that was pending fitted the limit, and QEMU went on all the same.
    """

    name: str
    limit_ms: float
    passes: int
    missed: int
    completed: bool
    effective_limit_ms: float | None
    limit_verdict: LimitJudgement


@dataclass(frozen=True)
class Convergence:
    """The trials of a trace and what they come to; `reason` says why they are not right.

    `needed_ms` is the oracle's expected downtime, `reported_ms` QEMU's, `limit_from` the one that was chosen by.
    """

    judgement: ConvergenceJudgement
    needed_ms: float | None
    reported_ms: float | None
    limit_from: str
    trials: tuple[Trial, ...]
    reason: str = ""


def judge_trials(trace: Trace, needed_ms: float | None, reported_ms: float | None) -> Convergence | None:
    """What the limits did that a harness tried in this trace, or None where it tried none.

    `needed_ms` and `reported_ms` are what was found before the first. Raises UsageError where an event of the harness is
    not as it writes them.
    """
    parts = list(_parts(trace))
    if not parts:
        if TRIES_LIMITS not in trace.header:
            return None
        reason = "no limit was tried: the migration ended before, or what was needed could not be told"
        return Convergence(ConvergenceJudgement.INCONCLUSIVE, needed_ms, reported_ms, "", (), reason)
    limit_from = str(parts[-1].event.data.get("limit-from", "oracle"))
    found = [(part, *_trial(part)) for part in parts]
    trials = tuple(trial for _, trial, _ in found)
    for part, trial, finding in found:
        judgement, reason = _judge(trace, part, trial, finding, needed_ms, reported_ms, limit_from)
        if judgement is not ConvergenceJudgement.RIGHT:
            return Convergence(judgement, needed_ms, reported_ms, limit_from, trials, reason)
    judgement, reason = ConvergenceJudgement.RIGHT, ""
    if trials[-1].name != CHOSEN:
        judgement, reason = ConvergenceJudgement.INCONCLUSIVE, "the migration ended before the chosen limit was tried"
    return Convergence(judgement, needed_ms, reported_ms, limit_from, trials, reason)


@dataclass(frozen=True)
class _Part:
    """The trace while one limit held, with that limit in its header."""

    event: Event
    begun_in_pass: int
    trace: Trace


def _parts(trace: Trace) -> Iterator[_Part]:
    events = [e for e in trace.events if e.side == HARNESS and e.name in (LIMIT, FINISH)]
    for event, after in pairwise([*events, None]):
        if event is None or event.name == FINISH or trace.switchover_s < event.t_s:
            return
        until_s = after.since_s if after else float("inf")
        before = [s for s in trace.samples if s.t_s < event.since_s and s.ram]
        held = tuple(s for s in trace.samples if event.t_s <= s.t_s < until_s)
        if not (held and before and before[-1].ram):
            return
        parameters: Mapping[str, Any] = {
            **trace.migrate_parameters,
            "downtime-limit": number(event.data, "downtime-limit"),
        }
        header = {**trace.header, "migrate-parameters": parameters}
        yield _Part(event, before[-1].ram.dirty_sync_count, replace(trace, samples=held, header=header))


def _trial(part: _Part) -> tuple[Trial, LimitFinding]:
    name = part.event.data.get("trial")
    if name not in (DEFAULT, BELOW, CHOSEN):
        raise UsageError(f"'trial' of the event {LIMIT} is {name!r} where {DEFAULT}, {BELOW} or {CHOSEN} was expected")
    # The pass that was under way when the limit was set ended by both.
    seen = passes(part.trace)
    begun = [one for one in seen if one.number > part.begun_in_pass]
    finding = judge_limit(part.trace, begun, syncs(part.trace, begun))
    if name == CHOSEN:  # It is to cut a pass short, whose end thus says nothing.
        finding = LimitFinding(LimitJudgement.INCONCLUSIVE, None, None)
    trial = Trial(
        name=name,
        limit_ms=number(part.event.data, "downtime-limit"),
        passes=sum(map(_lasted, begun)),
        missed=sum(_lasted(sync.after) and _fitted(sync) for sync in syncs(part.trace, seen)),
        completed=part.trace.samples[-1].status == "completed",
        effective_limit_ms=finding.effective_ms,
        limit_verdict=finding.judgement,
    )
    return trial, finding


def _lasted(one: Pass) -> bool:
    return one.samples[-1].t_s - one.samples[0].t_s > SETTLED_S


def _fitted(sync: Sync) -> bool:
    return sync.limit_bytes is not None and sync.at_sync_bytes.high < sync.limit_bytes.low * (1 - SLACK)


def _judge(
    trace: Trace,
    part: _Part,
    trial: Trial,
    finding: LimitFinding,
    needed_ms: float | None,
    reported_ms: float | None,
    limit_from: str,
) -> tuple[ConvergenceJudgement, str]:
    right = ConvergenceJudgement.RIGHT, ""
    limit = f"a downtime-limit of {trial.limit_ms:g} ms"
    if needed_ms is None:
        return ConvergenceJudgement.INCONCLUSIVE, "what was needed could not be told before limits were tried"
    if trial.name == CHOSEN:
        said = f"QEMU reported {reported_ms or 0:.0f} ms; " if limit_from == "reported" else ""
        if trial.completed and not trial.passes:
            return right
        if not trial.passes:
            return ConvergenceJudgement.INCONCLUSIVE, f"the trace ends before a sync under {limit}"
        did = "converged only later" if trial.completed else "did not converge"
        sentence = f"{said}with {limit} {trial.passes} passes {did}; {needed_ms:.0f} ms were needed"
        if trial.missed or trial.limit_ms < needed_ms:
            return ConvergenceJudgement.WRONG, sentence
        return ConvergenceJudgement.INCONCLUSIVE, f"{sentence} before, but then the guest dirtied more"
    if trial.completed:
        did = f"it converged under {limit} where {needed_ms:.0f} ms were needed"
        if doubt := _doubt(trace, part, needed_ms):
            return ConvergenceJudgement.INCONCLUSIVE, f"{did}: {doubt}"
        if converges(trace, trial.limit_ms).converges is False:
            return ConvergenceJudgement.WRONG, did
        # A larger limit ends passes earlier, so that less is dirtied in them: it can do with less than was needed.
        return ConvergenceJudgement.INCONCLUSIVE, f"{did}: shorter passes may have dirtied less"
    if trial.limit_verdict is LimitJudgement.VIOLATED:
        return ConvergenceJudgement.WRONG, f"under {limit}: {finding.reason}"
    return right


def _doubt(trace: Trace, part: _Part, needed_ms: float) -> str:
    """Why completing under the limit of this part may have been right, though it is less than was needed before."""
    if trace.switchover_s - part.event.t_s < BURST_MS / 1000:
        return "QEMU may have decided to, by the limit before, as this one was set"
    seen = history(trace.undisturbed())
    if seen is None:
        return "what was sent before is not known"
    before = seen.threshold_bytes_per_ms
    fastest = max((part.trace.bytes_per_ms(sample.ram) for sample in part.trace.samples if sample.ram), default=0.0)
    if (part.trace.downtime_limit_ms or 0) * fastest > needed_ms * before * (1 - SLACK):
        return f"the bandwidth rose from {before / 1000:.1f} to {fastest / 1000:.1f} MB/s"
    return ""
