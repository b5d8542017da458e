# SPDX-License-Identifier: GPL-2.0-or-later
"""What was left to send when a pass ended, from the samples on both sides of the dirty sync.

It lies between the last sample before the sync (nothing more was sent) and that less all the pages sent until the
first sample after it (all of them were sent before the sync). Two things can be seen besides:

- Where the rate limit paces QEMU it sends one window's budget at once and rests until the next window. It looks whether
  to sync as a window begins, before it sends, and besides only when nothing is left (migration/migration.c:
  migration_thread, migration_rate_limit). So a sync after a rest, with more left than has been sent since, came before
  all of that. On hugepages it is not so: QEMU rests in the midst of one, and looks between two (migration/ram.c:
  ram_save_host_page).
- The monitor is held up by the sync, and answers right after it. So where exactly what was left has been sent, and more
  follows in the same window, QEMU synced because nothing was left.
"""

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS
from .passes import Pass

_REST_S = 0.15 * BUFFER_DELAY_MS / 1000
"""Nothing sent for so long before the last sample is a rest."""
_ONE_LOOK_S = 0.6 * BUFFER_DELAY_MS / 1000
"""No two windows begin within so much time, though one may come late."""
_BUDGET_MS = 1.2 * BUFFER_DELAY_MS
"""No window sends more than so many milliseconds of bandwidth, except zero pages."""


def unsent_bytes(before: Pass, after: Pass, host_page_bytes: float) -> Interval:
    """What `before` had left when the sync came that began `after`, from what was seen alone.

    `host_page_bytes` is the size of the pages behind the guest's RAM, 0 where it is not known.
    """
    last, first = before.last, after.first
    sent_bytes = max(0, first.sent_pages - last.sent_pages) * last.page_bytes
    left = Interval(max(0, last.remaining_bytes - sent_bytes), last.remaining_bytes)
    if not sent_bytes or float(after.samples.answered_s[0]) - float(before.samples.t_s[before.last_row]) > _ONE_LOOK_S:
        return left
    if sent_bytes == last.remaining_bytes and _goes_on(after):
        return Interval(0, 0)
    of_one_window = sent_bytes <= _BUDGET_MS * max(last.wire_bytes_per_ms, first.wire_bytes_per_ms)
    if left.low and of_one_window and 0 < host_page_bytes <= last.page_bytes and _rested(before):
        return Interval(left.high, left.high)
    return left


def _rested(before: Pass) -> bool:
    """Whether nothing was sent for a while before the last sample."""
    samples, row = before.samples, before.last_row
    last_s = float(samples.t_s[row])
    recent = samples.t_s.searchsorted(last_s - BUFFER_DELAY_MS / 1000)
    unmoved = samples.sent_pages[recent:] == samples.sent_pages[row]
    return last_s - float(samples.answered_s[recent + int(unmoved.argmax())]) >= _REST_S


def _goes_on(after: Pass) -> bool:
    """Whether QEMU went on sending after the first sample, in the same window."""
    samples = after.samples
    soon = samples.t_s.searchsorted(after.begin_s + _ONE_LOOK_S)
    return bool(samples.sent_pages[max(0, int(soon) - 1)] > samples.sent_pages[0])
