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

from .convergence import converges
from .errors import BadInput
from .limit import LimitFinding, LimitJudgement, judge_limit
from .oracle import passes, syncs
from .trace import FINISH, HARNESS, LIMIT, Event, Trace, number

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
    """What one limit did: how many passes began under it, whether it completed the migration, where passes ended."""

    name: str
    limit_ms: float
    passes: int
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

    `needed_ms` and `reported_ms` are what was found before the first. Raises BadInput where an event of the harness is
    not as it writes them.
    """
    found = [(part, *_trial(part)) for part in _parts(trace)]
    if not found:
        return None
    limit_from = str(found[-1][0].event.data.get("limit-from", "oracle"))
    trials = tuple(trial for _, trial, _ in found)
    for _, trial, finding in found:
        judgement, reason = _judge(trace, trial, finding, needed_ms, reported_ms, limit_from)
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
        if event is None or event.name == FINISH:
            return
        until_s = after.t_s if after else float("inf")
        before = [s for s in trace.samples if s.t_s < event.t_s and s.ram]
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
        raise BadInput(f"'trial' of the event {LIMIT} is {name!r} where {DEFAULT}, {BELOW} or {CHOSEN} was expected")
    # The pass that was under way when the limit was set ended by both.
    begun = [one for one in passes(part.trace) if one.number > part.begun_in_pass]
    finding = judge_limit(part.trace, begun, syncs(part.trace, begun))
    if name == CHOSEN:  # It is to cut a pass short, whose end thus says nothing.
        finding = LimitFinding(LimitJudgement.INCONCLUSIVE, None, None)
    trial = Trial(
        name=name,
        limit_ms=number(part.event.data, "downtime-limit"),
        passes=sum(one.samples[-1].t_s - one.samples[0].t_s > SETTLED_S for one in begun),
        completed=part.trace.samples[-1].status == "completed",
        effective_limit_ms=finding.effective_ms,
        limit_verdict=finding.judgement,
    )
    return trial, finding


def _judge(
    trace: Trace,
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
        if not trial.completed:
            did = f"{said}with {limit} {trial.passes} passes did not converge; {needed_ms:.0f} ms were needed"
            return ConvergenceJudgement.WRONG, did
        if trial.passes:
            did = f"{said}with {limit} it took {trial.passes} passes more to converge; {needed_ms:.0f} ms were needed"
            return ConvergenceJudgement.WRONG, did
        return right
    if trial.completed:
        did = f"it converged under {limit} where {needed_ms:.0f} ms were needed"
        if converges(trace, trial.limit_ms).converges is False:
            return ConvergenceJudgement.WRONG, did
        # A larger limit ends passes earlier, so that less is dirtied in them: it can do with less than was needed.
        return ConvergenceJudgement.INCONCLUSIVE, f"{did}: shorter passes may have dirtied less"
    if trial.limit_verdict is LimitJudgement.VIOLATED:
        return ConvergenceJudgement.WRONG, f"under {limit}: {finding.reason}"
    return right
