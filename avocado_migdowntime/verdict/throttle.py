# SPDX-License-Identifier: GPL-2.0-or-later
"""Does auto-converge slow the guest down in the steps that were set?"""

from dataclasses import dataclass

from ..oracle.evidence import Evidence
from ..oracle.throttle import PARAMETERS, Throttling, steps
from ..trace.events import HARNESS, THROTTLE_CHANGED
from .check import Check, Outcome
from .codes import CODES, THROTTLE

_OUTCOMES = {"as-set": Outcome.PASSED, "another-first": Outcome.FAILED, "another-step": Outcome.FAILED}


@dataclass(frozen=True)
class ThrottleFinding:
    """Whether the guest was slowed down as was set, by a `code` of the check.

    `percents` are those by which it was, in their order; `wrong` says what should have been otherwise.
    """

    code: str
    percents: tuple[float, ...] = ()
    wrong: str = ""

    @property
    def check(self) -> Check:
        """Whether the guest was slowed down as was set."""
        outcome = _OUTCOMES.get(self.code, Outcome.NOT_JUDGED)
        return Check(THROTTLE, outcome, self.code, self.sentence)

    @property
    def sentence(self) -> str:
        """What is wrong with it, or why that cannot be told; else empty."""
        return self.wrong or ("" if self.code == "as-set" else CODES[THROTTLE][self.code])


def judge_throttle(evidence: Evidence) -> ThrottleFinding | None:
    """Compare by how much the guest was slowed down with what was set; None without auto-converge.

    With dirty-limit QEMU does not slow the CPUs so, but each by what it dirties.
    """
    trace = evidence.trace
    if "auto-converge" not in trace.capabilities or "dirty-limit" in trace.capabilities:
        return None
    throttling = Throttling.of(trace.migrate_parameters)
    seen = steps(evidence.samples, evidence.stopped_s)
    percents = tuple(step.after_percent for step in seen)
    if throttling is None or trace.is_bare_text or not all(map(trace.tracks, PARAMETERS)):
        return ThrottleFinding("not-tracked", percents)
    if trace.first_event(HARNESS, THROTTLE_CHANGED) is not None:
        return ThrottleFinding("changed", percents)
    if not seen:
        return ThrottleFinding("no-step-seen")
    for step in seen:
        if throttling.explains(step):
            continue
        least, most = throttling.next_percents(step.before_percent)
        due = f"{most:g} %" if least == most else f"more than {least:g} % and up to {most:g} %"
        if step.before_percent:
            was = f"{step.after_percent:g} % after {step.before_percent:g} %"
            return ThrottleFinding("another-step", percents, f"auto-converge slowed the guest by {was}, not by {due}")
        first = f"auto-converge slowed the guest by {step.after_percent:g} % at first, not by {due}"
        return ThrottleFinding("another-first", percents, first)
    if all(step.most_steps > 1 for step in seen):
        return ThrottleFinding("sparse", percents)
    return ThrottleFinding("as-set", percents)
