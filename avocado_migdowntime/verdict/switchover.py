# SPDX-License-Identifier: GPL-2.0-or-later
"""Did QEMU sync before it switched over?

QEMU should switch over when a dirty sync has found an amount that fits the limit. Up to 11.0 there is a way around that
sync: QEMU compares what is pending with the threshold by `<` before the sync, and after it by `<=` (from 10.1 on) or 0
suffices (up to 10.0; migration/migration.c: migration_iteration_run). So if exactly the threshold is pending, for
example nothing after a window in which hardly anything was sent, the guest is stopped without a sync. Then everything
it dirtied since the previous sync is sent while it is down, whatever the limit says.
"""

from dataclasses import dataclass

import numpy as np

from ..oracle.evidence import Evidence
from ..oracle.passes import UPDATE_S
from .check import Check, Outcome
from .codes import CODES, SWITCHOVER

_OUTCOMES = {"after-a-sync": Outcome.PASSED, "without-a-sync": Outcome.FAILED}


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
    """What the end of a migration shows about it; None if the migration did not complete by precopy.

    The switchover itself syncs once more, when the guest is stopped. So if QEMU sent anything after the last sync
    before that one, it had checked and gone on, and did not sync when it checked again.
    """
    samples, final = evidence.samples, evidence.samples[-1].ram
    if not np.isfinite(evidence.stopped_s) or final is None:
        return None
    if any(status.startswith("postcopy") for status in samples.statuses):
        return None
    last = evidence.passes[-1] if evidence.passes else None
    if last is None or last.number >= final.dirty_sync_count:
        return SwitchoverFinding("not-seen")
    if max(last.number, _announced(evidence)) < final.dirty_sync_count - 1 or _announced(evidence) > last.number:
        return SwitchoverFinding("after-a-sync")
    if last.number == 1 and not np.any(last.samples.mbps):
        return SwitchoverFinding("before-a-window")
    # The first answer with a pass's number may show what was sent before that pass's sync.
    sent_pages = last.samples.sent_pages[1:]
    if len(sent_pages) < 2 or evidence.stopped_s - last.end_s > UPDATE_S:
        return SwitchoverFinding("not-seen")
    if sent_pages[-1] == sent_pages[0]:
        return SwitchoverFinding("after-a-sync")
    ends_empty = not last.samples.remaining_bytes[-1] and not last.samples.mbps[-1]
    when = ", when nothing was left of it after a window in which nothing was sent" if ends_empty else ""
    sentence = (
        f"QEMU switched over in pass {last.number} without another sync{when}; so while the guest was down, it sent "
        f"all that the guest had dirtied since that pass began"
    )
    return SwitchoverFinding("without-a-sync", sentence)


def _announced(evidence: Evidence) -> int:
    """The number of the last sync announced before the guest was stopped; 0 if none was."""
    events = evidence.trace.events
    stop = evidence.trace.switchover_stop
    before = events[: events.index(stop)] if stop in events else ()
    numbers = [event.data.get("pass") for event in before if (event.side, event.name) == ("source", "MIGRATION_PASS")]
    return max((number for number in numbers if isinstance(number, int)), default=0)
