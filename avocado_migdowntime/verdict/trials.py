# SPDX-License-Identifier: GPL-2.0-or-later
"""Did the migration converge under the downtime-limits that were tried on it, and should it have?

A harness sets limits one after the other and records each as an event `LIMIT`, with the name of the trial:

| trial     | limit                                       | right if |
| --------- | ------------------------------------------- | -------- |
| `default` | QEMU's own 300 ms                           | the migration goes on |
| `below`   | half of what is needed                      | the migration goes on |
| `chosen`  | a little more than what is needed, or than QEMU's report | it completes at the next sync |

What is needed is what the oracle found at the syncs before, divided by the bandwidth.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from math import inf

from ..basics.printable import quoted
from ..errors import UsageError
from ..oracle.evidence import Evidence
from ..oracle.passes import Pass
from ..oracle.syncs import Sync
from ..prediction.converging import predict_convergence
from ..prediction.observed import observe
from ..trace.events import FINISH, HARNESS, LIMIT, Event
from ..trace.ram import number
from .check import Check, Outcome
from .codes import CONVERGENCE
from .limit import LimitFinding, LimitJudgement, judge_limit
from .limit_at_switchover import BURST_MS
from .pass_ends import SLACK

TRIES_LIMITS = "tries_limits"
"""Header key of a trace whose harness was to try limits."""
DEFAULT, BELOW, CHOSEN = "default", "below", "chosen"
SETTLED_S = 0.15
"""What is seen for longer is a pass, not the switchover, whose syncs count as well."""


class ConvergenceJudgement(StrEnum):
    """Did each limit have the expected effect?"""

    RIGHT = "right"
    WRONG = "wrong"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Trial:
    """The effect of one limit: how many passes began under it, whether it completed the migration, where passes ended.

    `missed` counts the syncs under it at which everything pending fitted the limit, but QEMU went on.
    """

    name: str
    limit_ms: float
    passes: int
    missed: int
    completed: bool
    effective_limit_ms: float | None
    limit_verdict: LimitJudgement


_UNDECIDED = (
    "not-tried",
    "chosen-not-tried",
    "need-unknown",
    "too-short",
    "guest-dirtied-more",
    "may-have-needed-less",
)
_JUDGEMENTS = {Outcome.PASSED: ConvergenceJudgement.RIGHT, Outcome.FAILED: ConvergenceJudgement.WRONG}


@dataclass(frozen=True)
class Convergence:
    """The trials of a trace and their result, by a `code` of the check; `reason` says why they are not right.

    `needed_ms` is the oracle's expected downtime, `reported_ms` QEMU's; `limit_from` names the one that the chosen
    limit is based on.
    """

    code: str
    needed_ms: float | None
    reported_ms: float | None
    limit_from: str
    trials: tuple[Trial, ...]
    reason: str = ""

    @property
    def check(self) -> Check:
        """The check that each limit had the expected effect."""
        if self.code == "right":
            return Check(CONVERGENCE, Outcome.PASSED, self.code)
        outcome = Outcome.UNDECIDED if self.code in _UNDECIDED else Outcome.FAILED
        return Check(CONVERGENCE, outcome, self.code, self.reason)

    @property
    def judgement(self) -> ConvergenceJudgement:
        """The same in one word."""
        return _JUDGEMENTS.get(self.check.outcome, ConvergenceJudgement.INCONCLUSIVE)


def judge_trials(evidence: Evidence, needed_ms: float | None, reported_ms: float | None) -> Convergence | None:
    """The effects of the limits that a harness tried in a whole migration; None if it tried none.

    `needed_ms` and `reported_ms` were found before the first trial. Raises UsageError if an event of the harness is
    malformed.
    """
    parts = list(_parts(evidence))
    if not parts:
        if TRIES_LIMITS not in evidence.trace.header:
            return None
        reason = "no limit was tried: the migration ended first, or the limit needed was unknown"
        return Convergence("not-tried", needed_ms, reported_ms, "", (), reason)
    limit_from = str(parts[-1].event.data.get("limit-from", "oracle"))
    outcomes = [(part, *_trial(part)) for part in parts]
    trials = tuple(trial for _, trial, _ in outcomes)
    for part, trial, finding in outcomes:
        if wrong := _judge(evidence, part, trial, finding, needed_ms, reported_ms, limit_from):
            return Convergence(wrong[0], needed_ms, reported_ms, limit_from, trials, wrong[1])
    if trials[-1].name != CHOSEN:
        reason = "the migration ended before the chosen limit was tried"
        return Convergence("chosen-not-tried", needed_ms, reported_ms, limit_from, trials, reason)
    return Convergence("right", needed_ms, reported_ms, limit_from, trials)


@dataclass(frozen=True)
class _Part:
    """The migration while a limit of `limit_ms` held, which was set in the pass `begun_in_pass`."""

    event: Event
    limit_ms: float
    begun_in_pass: int
    evidence: Evidence


def _parts(evidence: Evidence) -> Iterator[_Part]:
    samples = evidence.samples
    events = [e for e in evidence.trace.events if e.side == HARNESS and e.name in (LIMIT, FINISH)]
    for event, after in zip_longest(events, events[1:]):
        if event.name == FINISH or evidence.stopped_s < event.t_s:
            return
        before = samples.dirty_sync_count[samples.has_ram & (samples.t_s < event.since_s)]
        limit_ms, until_s = number(event.data, "downtime-limit"), after.since_s if after else inf
        part = evidence.while_held(limit_ms, event.t_s, until_s)
        if not (len(part.samples) and len(before)):
            return
        yield _Part(event, limit_ms, int(before[-1]), part)


def _trial(part: _Part) -> tuple[Trial, LimitFinding]:
    name = part.event.data.get("trial")
    if name not in (DEFAULT, BELOW, CHOSEN):
        raise UsageError(
            f"'trial' of the event {LIMIT} is {quoted(name)} where {DEFAULT}, {BELOW} or {CHOSEN} was expected"
        )
    evidence = part.evidence
    # The pass during which the limit was set ended under both limits.
    passes = [pass_ for pass_ in evidence.passes if pass_.number > part.begun_in_pass]
    finding = LimitFinding("cut-short")
    if name != CHOSEN:
        ends = [sync for sync in evidence.syncs if sync.before.number > part.begun_in_pass]
        finding = judge_limit(evidence, passes, ends)
    trial = Trial(
        name=name,
        limit_ms=part.limit_ms,
        passes=sum(map(_lasted, passes)),
        missed=sum(_lasted(sync.after) and _fitted(sync) for sync in evidence.syncs),
        completed=evidence.status == "completed",
        effective_limit_ms=finding.effective_limit_ms,
        limit_verdict=finding.judgement,
    )
    return trial, finding


def _lasted(pass_: Pass) -> bool:
    return pass_.end_s - pass_.begin_s > SETTLED_S


def _fitted(sync: Sync) -> bool:
    return sync.limit_bytes is not None and sync.at_sync_bytes.high < sync.limit_bytes.low * (1 - SLACK)


def _judge(
    whole: Evidence,
    part: _Part,
    trial: Trial,
    finding: LimitFinding,
    needed_ms: float | None,
    reported_ms: float | None,
    limit_from: str,
) -> tuple[str, str] | None:
    """The code and the sentence of what is not right with a trial; None if all is."""
    limit = f"a downtime-limit of {trial.limit_ms:.10g} ms"
    if needed_ms is None:
        return "need-unknown", "the limit needed was not known before limits were tried"
    if trial.name == CHOSEN:
        by_report = limit_from == "reported" and reported_ms is not None
        reported = f"QEMU reported {reported_ms:.0f} ms; " if by_report else ""
        if trial.completed and not trial.passes:
            return None
        if not trial.passes:
            return "too-short", f"the recording ends before a sync under {limit}"
        outcome = "converged only later" if trial.completed else "did not converge"
        sentence = f"{reported}with {limit} {trial.passes} passes {outcome}; {needed_ms:.0f} ms were needed"
        if trial.missed or trial.limit_ms < needed_ms:
            return "did-not-converge", sentence
        return "guest-dirtied-more", f"{sentence} before, but then the guest dirtied more"
    if trial.completed:
        outcome = f"it converged under {limit}, although {needed_ms:.0f} ms were needed"
        if doubt := _doubt(whole, part, needed_ms):
            return "may-have-needed-less", f"{outcome}: {doubt}"
        if predict_convergence(whole, trial.limit_ms).converges is False:
            return "converged-under-less", outcome
        # A larger limit ends passes earlier, so less is dirtied in them, and less than the need found before may be
        # enough.
        return "may-have-needed-less", f"{outcome}: shorter passes may have dirtied less"
    if trial.limit_verdict is LimitJudgement.VIOLATED:
        return "limit-violated", f"under {limit}: {finding.reason}"
    return None


def _doubt(whole: Evidence, part: _Part, needed_ms: float) -> str:
    """Why it may have been right to complete under this part's limit, although more was needed before; else ''."""
    if whole.stopped_s - part.event.t_s < BURST_MS / 1000:
        return "QEMU may have decided to by the previous limit, just before this one was set"
    precopy = observe(whole.undisturbed)
    if precopy is None:
        return "it is unknown what was sent before"
    before, samples = precopy.threshold_bytes_per_ms, part.evidence.samples
    wire = samples.wire_bytes_per_ms[samples.has_ram]
    fastest = whole.trace.switchover_bytes_per_ms or float(wire.max(initial=0))
    if part.limit_ms * fastest > needed_ms * before * (1 - SLACK):
        return f"the bandwidth rose from {before / 1000:.1f} to {fastest / 1000:.1f} MB/s"
    return ""
