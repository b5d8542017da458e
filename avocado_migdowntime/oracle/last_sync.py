# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether QEMU synced before it switched over.

QEMU should switch over when a dirty sync has found an amount that fits the limit. Up to 11.0 there is a way around that
sync: QEMU compares what is pending with the threshold by `<` before the sync, and after it by `<=` (from 10.1 on) or 0
suffices (up to 10.0; migration/migration.c: migration_iteration_run). So if exactly the threshold is pending, for
example nothing after a window in which hardly anything was sent, the guest is stopped without a sync. Then everything
it dirtied since the previous sync is sent while it is down, whatever the limit says.
"""

import numpy as np

from ..trace.samples import Samples
from .evidence import Evidence
from .passes import UPDATE_S

AFTER, WITHOUT, NOT_SEEN, BEFORE_A_WINDOW = "after-a-sync", "without-a-sync", "not-seen", "before-a-window"


def how_it_switched_over(evidence: Evidence) -> str | None:
    """One of the words above for the end of a migration; None if it did not complete by precopy.

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
        return NOT_SEEN
    if max(last.number, _announced(evidence)) < final.dirty_sync_count - 1 or _announced(evidence) > last.number:
        return AFTER
    if last.number == 1 and not np.any(last.samples.mbps):
        return BEFORE_A_WINDOW
    # The first answer with a pass's number may show what was sent before that pass's sync.
    sent_pages = last.samples.sent_pages[1:]
    if len(sent_pages) < 2 or evidence.stopped_s - last.end_s > UPDATE_S:
        return NOT_SEEN
    return AFTER if sent_pages[-1] == sent_pages[0] else WITHOUT


def ended_empty(last_pass: Samples) -> bool:
    """Whether the last sample of a pass shows nothing left, after a window in which nothing was sent."""
    return not last_pass.remaining_bytes[-1] and not last_pass.mbps[-1]


def _announced(evidence: Evidence) -> int:
    """The number of the last sync announced before the guest was stopped; 0 if none was."""
    events = evidence.trace.events
    stop = evidence.trace.switchover_stop
    before = events[: events.index(stop)] if stop in events else ()
    numbers = [event.data.get("pass") for event in before if (event.side, event.name) == ("source", "MIGRATION_PASS")]
    return max((number for number in numbers if isinstance(number, int)), default=0)
