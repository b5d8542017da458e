# SPDX-License-Identifier: GPL-2.0-or-later
"""Does auto-converge slow the guest in the configured steps?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..oracle.evidence import Evidence
from ..oracle.throttle import PARAMETERS, TRIGGER, Throttling, steps
from ..trace.events import HARNESS, THROTTLE_CHANGED
from .check import Check, Outcome
from .codes import CODES, THROTTLE

_FAILED = ("another-first", "another-step", "not-slowed")
_OUTCOMES = {"as-set": Outcome.PASSED, **dict.fromkeys(_FAILED, Outcome.FAILED)}


@dataclass(frozen=True)
class ThrottleFinding:
    """Whether the guest was slowed as configured, by a `code` of the check.

    `percents` are the throttle percentages in their order; `wrong` says what should have been different.
    """

    code: str
    percents: tuple[float, ...] = ()
    wrong: str = ""

    @property
    def check(self) -> Check:
        """The check that the guest was slowed as configured."""
        outcome = _OUTCOMES.get(self.code, Outcome.NOT_JUDGED)
        return Check(THROTTLE, outcome, self.code, self.sentence)

    @property
    def sentence(self) -> str:
        """What is wrong, or why that is unknown; else empty."""
        return self.wrong or ("" if self.code == "as-set" else CODES[THROTTLE][self.code])


def judge_throttle(evidence: Evidence) -> ThrottleFinding | None:
    """Compare how much the guest was slowed with the configuration; None without auto-converge.

    With dirty-limit, QEMU does not slow all vCPUs this way, but each by what it dirties.
    """
    trace = evidence.trace
    if "auto-converge" not in trace.capabilities or "dirty-limit" in trace.capabilities:
        return None
    throttling = Throttling.of(trace.migrate_parameters)
    all_steps = steps(evidence.samples, evidence.stopped_s)
    percents = tuple(step.after_percent for step in all_steps)
    if throttling is None or trace.is_bare_text or not all(map(trace.tracks, PARAMETERS)):
        return ThrottleFinding("not-tracked", percents)
    if trace.first_event(HARNESS, THROTTLE_CHANGED) is not None:
        return ThrottleFinding("changed", percents)
    for step in all_steps:
        if throttling.explains(step):
            continue
        least, most = throttling.next_percents(step.before_percent)
        due = f"{most:g} %" if least == most else f"more than {least:g} % and up to {most:g} %"
        if step.before_percent:
            was = f"{step.after_percent:g} % after {step.before_percent:g} %"
            return ThrottleFinding(
                "another-step", percents, f"auto-converge slowed the guest by {was}; {due} was expected"
            )
        first = f"auto-converge first slowed the guest by {step.after_percent:g} %; {due} was expected"
        return ThrottleFinding("another-first", percents, first)
    for number, percent, least in _too_little(evidence, throttling):
        slowed = f"slowed the guest by {percent:g} %" if percent else "did not slow the guest"
        wrong = f"auto-converge {slowed} when pass {number} began; at least {least:g} % was due"
        return ThrottleFinding("not-slowed", percents, wrong)
    if not all_steps:
        return ThrottleFinding("no-step-seen")
    if all(step.most_steps > 1 for step in all_steps):
        return ThrottleFinding("sparse", percents)
    return ThrottleFinding("as-set", percents)


def _too_little(evidence: Evidence, throttling: Throttling) -> Iterator[tuple[int, float, float]]:
    """Passes in which the guest was slowed less than due: their number, the actual percentage, and the due one."""
    if evidence.samples.sends_a_disk or not evidence.trace.tracks(TRIGGER):  # Up to 9.0 a disk delays it.
        return
    for one, steps_due in throttling.due(evidence.passes):
        percent = float(np.nan_to_num(one.samples.throttle_percent[-1]))
        if percent < throttling.least_percent(steps_due):
            yield one.number, percent, throttling.least_percent(steps_due)
