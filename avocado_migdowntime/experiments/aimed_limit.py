# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets the downtime-limit close to what is left of a pass, to see how exactly QEMU follows it.

QEMU checks only once in a window of 100 ms whether the rest fits, so the end of a pass shows the limit only to within
100 ms. So during the rests before two checks, when what is left is close to the limit, the limit is set: first slightly
below what is left, so that QEMU must go on, then slightly above it, so that QEMU must sync. Then the limit is restored.
If the bandwidth has changed meanwhile on a busy host, QEMU acts differently, and the next pass tries again.

The second pass may end with zero pages of firmware and the names of their RAM blocks. If these go out in the burst
around the sync, it is not known what was left (see oracle/unsent.py). So that pass must sync while more than a window's
budget is left.
"""

from math import ceil, floor

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..trace.events import AIMED
from ..trace.sample import Sample
from .migration import Migration

_BESIDE = 0.02
"""How far from what is left the limit is set, as a share: the bandwidth varies by 1 % with the clock of a window."""
_FAR = 1.25
"""Before a limit is set, the last sync must have found at least this many times what is left now. Otherwise the next
sync might find an amount that fits the aimed limit, and the migration would complete.
"""
_LEFT_MS = 2 * BUFFER_DELAY_MS
"""At least about so much is left where the second pass must sync."""
_RESTS_S, _LOOKS_S = 0.02, 0.06
"""A limit is set only between these two times after QEMU last sent: then QEMU rests, and does not check yet."""


async def set_limit(migration: Migration, limit_ms: int) -> None:
    """Set another downtime-limit, or restore the usual one, and record that as the event `AIMED`."""
    since_s = migration.sampler.now_s()
    await migration.pair.source.execute("migrate-set-parameters", {"downtime-limit": limit_ms})
    migration.sampler.note(AIMED, {"downtime-limit": limit_ms, "since": round(since_s, 6)})


class AimedLimit:
    """Takes each sample of a migration as it comes, and sets the limit when that shows something."""

    def __init__(self, migration: Migration) -> None:
        parameters = migration.parameters
        self._migration = migration
        self._limit_ms = parameters.downtime_limit
        self._host_page_bytes = parameters.page_size
        # With other capabilities, what is pending may differ from what is left; with other migrate parameters, so may
        # the divisor; and on hugepages QEMU checks at other moments.
        is_plain = not parameters.capabilities and not parameters.migrate_parameters
        self._is_of_use = parameters.downtime_limit >= BUFFER_DELAY_MS / 2 and is_plain
        self._pass = 0
        self._aimed: set[bool] = set()
        """What QEMU was made to do in this pass: True is to go on."""
        self._fastest = self._found_bytes = 0.0
        self._before: Sample | None = None
        self._sent_s = 0.0

    async def __call__(self, sample: Sample) -> None:
        """Set the limit to another value, or restore it, if it is time for that."""
        ram = sample.ram
        if not self._is_of_use or sample.status != "active" or ram is None or self._host_page_bytes > ram.page_bytes:
            return
        before, self._before = self._before, sample
        if ram.dirty_sync_count != self._pass:
            if self._aimed:
                await set_limit(self._migration, self._limit_ms)
            self._pass, self._aimed, self._fastest = ram.dirty_sync_count, set(), 0.0
            self._found_bytes = ram.remaining_bytes
        if before is None or before.ram is None or before.ram.sent_pages != ram.sent_pages:
            self._sent_s = before.t_s if before else sample.t_s
            return
        self._fastest = max(self._fastest, ram.wire_bytes_per_ms)
        since_s = sample.answered_s - self._sent_s
        # Setting a limit takes at most as long as a query.
        arrives_s = since_s + sample.latency_ms / 1000
        if self._pass < 2 or not _RESTS_S <= since_s <= arrives_s <= _LOOKS_S:
            return
        left_ms = ram.remaining_bytes / self._fastest if self._fastest else 0.0
        # What is beyond the limit where QEMU must sync; one window before, it must go on.
        beyond_ms = left_ms - (max(self._limit_ms, _LEFT_MS) if self._pass == 2 else self._limit_ms)
        goes_on = beyond_ms > BUFFER_DELAY_MS / 2
        if goes_on:
            beyond_ms -= BUFFER_DELAY_MS
        is_far = self._found_bytes >= _FAR * ram.remaining_bytes
        if is_far and goes_on not in self._aimed and abs(beyond_ms) <= BUFFER_DELAY_MS / 2:
            self._aimed.add(goes_on)
            aimed_ms = floor((1 - _BESIDE) * left_ms) if goes_on else ceil((1 + _BESIDE) * left_ms)
            await set_limit(self._migration, aimed_ms)
