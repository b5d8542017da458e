# SPDX-License-Identifier: GPL-2.0-or-later
"""Did QEMU sync before it switched over? See oracle/last_sync.py."""

from dataclasses import dataclass

from ..oracle.evidence import Evidence
from ..oracle.last_sync import AFTER, WITHOUT, ended_empty, how_it_switched_over
from .check import Check, Outcome
from .codes import CODES, SWITCHOVER

_OUTCOMES = {AFTER: Outcome.PASSED, WITHOUT: Outcome.FAILED}


@dataclass(frozen=True)
class SwitchoverFinding:
    """Whether the switchover came after a sync, by a `code` of the check."""

    code: str
    sentence: str = ""

    @property
    def check(self) -> Check:
        """The check that QEMU switched over at a sync."""
        outcome = _OUTCOMES.get(self.code, Outcome.NOT_JUDGED)
        sentence = CODES[SWITCHOVER][self.code] if outcome is Outcome.NOT_JUDGED else self.sentence
        return Check(SWITCHOVER, outcome, self.code, sentence)


def judge_switchover(evidence: Evidence) -> SwitchoverFinding | None:
    """What the end of a migration shows about it; None if the migration did not complete by precopy."""
    code = how_it_switched_over(evidence)
    if code != WITHOUT:
        return SwitchoverFinding(code) if code else None
    last = evidence.passes[-1]
    when = ", when nothing was left of it after a window in which nothing was sent" if ended_empty(last.samples) else ""
    sentence = (
        f"QEMU switched over in pass {last.number} without another sync{when}; so while the guest was down, it sent "
        f"all that the guest had dirtied since that pass began"
    )
    return SwitchoverFinding(code, sentence)
