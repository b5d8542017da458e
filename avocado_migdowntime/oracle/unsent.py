# SPDX-License-Identifier: GPL-2.0-or-later
"""What was left to send when a pass ended, from the samples on both sides of the dirty sync.

It is at most what the last sample before the sync shows (nothing more was sent), and at least that minus all the pages
sent until the first sample after it (all of them were sent before the sync). More can be seen:

- If the rate limit paces QEMU, it sends one window's budget at once and rests until the next window. It checks whether
  to sync as a window begins, before it sends; otherwise it checks only when nothing is left (migration/migration.c:
  migration_thread, migration_rate_limit). So if more was left than has been sent since, a sync after a rest came before
  all of that. If more has been sent, the rounds tell (see rounds.py). If none or one round ended in that burst, it
  belongs to the pass after the sync. If two ended, the first ended the previous pass with nothing left; so did a round
  in which QEMU was seen sending. On hugepages this does not hold: QEMU rests within a hugepage, and checks between two
  (migration/ram.c: ram_save_host_page).
- The sync delays the monitor, which answers right after it. So if exactly what was left has been sent, and more follows
  in the same window, QEMU synced because nothing was left; unless no round ended, and it is a coincidence. A page that
  was on its way at the last sample, by which K is a page too small there, belongs to what was left.
- For hugepages, too, it can be certain that none was left, or that QEMU synced after a rest (see hugepages.py).
- QEMU 11.1 shows what it found at its looks (see pending.py).

If pages count as sent late (see late.py), more may have been sent than is shown, and only that nothing was left can be
seen.
"""

from math import inf

import numpy as np

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS, MAX_WAIT_MS
from .hugepages import ended_at_rest, nothing_left
from .passes import Pass
from .pending import most_left_bytes
from .rounds import OVER_S, bursts_of_one_round
from .seam import ONE_LOOK_S, Seam

_BUDGET_MS = 1.2 * BUFFER_DELAY_MS
"""No window sends more than this many milliseconds' worth of bandwidth, except zero pages."""
_NOTHING = Interval(0, 0)


def unsent_bytes(before: Pass, after: Pass, host_page_bytes: float, most_host_pages: float = inf) -> Interval:
    """What `before` had left at the sync that began `after`, from what was seen alone.

    `host_page_bytes` is the page size of the guest RAM's backing, 0 if not known; at most `most_host_pages` of these
    pages are dirtied.
    """
    seam = Seam(before, after)
    bounds = seam.left_bytes
    if before.queued_bytes:
        return Interval(max(0, bounds.low - before.queued_bytes), bounds.high) if before.late_bytes else _NOTHING
    if not bounds.width:
        return bounds
    pages_each = host_page_bytes / seam.last.page_bytes
    if pages_each > 1 and not bounds.low and nothing_left(seam, pages_each, most_host_pages):
        return _NOTHING
    if pages_each > 1 and ended_at_rest(seam):
        return Interval(bounds.high, bounds.high)
    narrow_bounds = Interval(bounds.low, max(bounds.low, min(bounds.high, most_left_bytes(seam))))
    if seam.answered_s[0] > ONE_LOOK_S:
        return narrow_bounds
    if _all_went_out(seam) and _goes_on(seam):
        return _NOTHING
    if not 0 < pages_each <= 1:
        return narrow_bounds
    if seam.at_rest and bounds.low and seam.sent_bytes[0] <= _budget_bytes(seam):
        return Interval(bounds.high, bounds.high)
    return narrow_bounds if bounds.low else _by_rounds(seam) or narrow_bounds


def left_bytes(before: Pass, after: Pass) -> Interval:
    """The same for a sync that may come at any moment, such as auto-converge's: only the bounds that were seen."""
    bounds = Seam(before, after).left_bytes
    return Interval(max(0, bounds.low - before.queued_bytes), bounds.high)


def _budget_bytes(seam: Seam) -> float:
    """The most that a window sends. A window that began late shows a lower bandwidth, never a higher one."""
    return _BUDGET_MS * max(float(seam.before.samples.wire_bytes_per_ms.max()), seam.after.first.wire_bytes_per_ms)


def _all_went_out(seam: Seam) -> bool:
    """Whether exactly what was left had been sent at the first sample, including a page that was on its way.

    Such a page has left `remaining` and does not count as sent, though its header may. It shows that a round was
    running, which had to end before the sync. Without such a page, a round must have ended since.
    """
    last = seam.last
    on_its_way = seam.before.end_bytes - last.conserved_bytes == last.page_bytes
    left_bytes = last.remaining_bytes + last.page_bytes * on_its_way
    return seam.first_sent_bytes == left_bytes and (on_its_way or not seam.first_rounds < 1)


def _goes_on(seam: Seam) -> bool:
    """Whether QEMU went on sending after the first sample, in the same window."""
    t_s = seam.since.t_s
    soon = max(0, int(t_s.searchsorted(t_s[0] + ONE_LOOK_S)) - 1)
    return bool(seam.since.sent_pages[soon] > max(seam.first.sent_pages, seam.last.sent_pages))


def _by_rounds(seam: Seam) -> Interval | None:
    """All or nothing, by the rounds of the burst around the sync, which sent at least as much as was left."""
    rest, since, sent_bytes, rounds, last = seam.rest, seam.since, seam.sent_bytes, seam.rounds, seam.last
    if rest is None or rest.lasted_s < OVER_S:
        return None
    plain = bursts_of_one_round(seam.before.samples[: rest.row + 1])
    if not np.any(plain[-1:]):
        return None
    # No round that began after the rest can have ended because it took too long.
    short = seam.answered_s - rest.end_s <= MAX_WAIT_MS / 1000
    if not seam.at_rest:
        return _NOTHING if short[0] else None
    all_of_it = Interval(last.remaining_bytes, last.remaining_bytes)
    if rounds[0] == 0:
        return all_of_it
    burst_bytes = sent_bytes[int(seam.answered_s.searchsorted(ONE_LOOK_S, "right")) - 1]
    after_it = np.flatnonzero(sent_bytes == burst_bytes)
    over_s = float(since.t_s[after_it[-1]] - since.answered_s[after_it[0]])
    if rounds[after_it[-1]] == 1 and last.remaining_bytes < burst_bytes <= _budget_bytes(seam) and over_s >= OVER_S:
        return all_of_it
    # What looks like the end of a round may be the header of a page on its way, or the name of a RAM block.
    two = (rounds == 2) & (since.conserved_bytes >= seam.after.begin_bytes) & (sent_bytes <= _budget_bytes(seam))
    return _NOTHING if np.all(plain) and np.any(two & short) else None
