# SPDX-License-Identifier: GPL-2.0-or-later
"""Aim the downtime-limit at where a pass is, so that it shows how exactly QEMU goes by it.

QEMU looks once in a window of 100 ms whether what is left fits, so that the end of a pass tells the limit to 100 ms
only. In the rest before the look at which what is left is nearest to the limit, that is set a little below it in one
pass, so that QEMU has to go on, and a little above it in another, so that it has to sync; then it is set back. Where
the bandwidth of a busy host has moved meanwhile QEMU does otherwise, and that is tried once more in the next pass.
"""

from math import ceil, floor

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..trace.events import AIMED
from ..trace.sample import Sample
from .migration import Migration

_BESIDE = 0.02
"""The share by which the limit is set beside what is left: the bandwidth moves by 1 % with the clock of a window."""
_FAR = 1.25
"""A sync has to have found so many times as much as is left, lest the next one finds what fits that limit."""
_RESTS_S, _LOOKS_S = 0.02, 0.06
"""A rest begins soon after QEMU has sent; no limit is set when it may look at any moment."""


class AimedLimit:
    """Takes each sample of a migration as it comes, and sets the limit where that tells something."""

    def __init__(self, migration: Migration) -> None:
        parameters = migration.parameters
        self._migration = migration
        self._limit_ms = parameters.downtime_limit
        self._host_page_bytes = parameters.page_size
        # With other capabilities what is pending may not be what is left, and with other migrate parameters not what it
        # is divided by; on hugepages QEMU looks elsewhere.
        is_plain = not parameters.capabilities and not parameters.migrate_parameters
        self._is_of_use = parameters.downtime_limit >= BUFFER_DELAY_MS / 2 and is_plain
        self._pass = 0
        self._aimed: tuple[bool, int] | None = None
        """Whether QEMU is to go on in this pass, and how much was sent then."""
        self._hits = {True: 0, False: 0}
        """How often it went on where it was to, and synced where it was to."""
        self._fastest = self._found_bytes = 0.0
        self._before: Sample | None = None
        self._sent_s = 0.0

    async def __call__(self, sample: Sample) -> None:
        """Set another limit, or set it back, if it is time for that."""
        ram = sample.ram
        if not self._is_of_use or sample.status != "active" or ram is None or self._host_page_bytes > ram.page_bytes:
            return
        before, self._before = self._before, sample
        if ram.dirty_sync_count != self._pass:
            if self._aimed and before and before.ram:
                goes_on, sent_pages = self._aimed
                self._hits[goes_on] += goes_on == (before.ram.sent_pages > sent_pages)
                await self._set(self._limit_ms)
            self._pass, self._aimed, self._fastest = ram.dirty_sync_count, None, 0.0
            self._found_bytes = ram.remaining_bytes
        if before is None or before.ram is None or before.ram.sent_pages != ram.sent_pages:
            self._sent_s = before.t_s if before else sample.t_s
            return
        self._fastest = max(self._fastest, ram.wire_bytes_per_ms)
        since_s = sample.answered_s - self._sent_s
        # A limit takes as long to arrive as a question, at most.
        arrives_s = since_s + sample.latency_ms / 1000
        if self._pass < 2 or self._aimed or not _RESTS_S <= since_s <= arrives_s <= _LOOKS_S:
            return
        left_ms = ram.remaining_bytes / self._fastest if self._fastest else 0.0
        is_far = self._found_bytes >= _FAR * ram.remaining_bytes
        if is_far and abs(left_ms - self._limit_ms) <= BUFFER_DELAY_MS / 2:
            goes_on = self._hits[True] <= self._hits[False]
            self._aimed = goes_on, ram.sent_pages
            await self._set(floor((1 - _BESIDE) * left_ms) if goes_on else ceil((1 + _BESIDE) * left_ms))

    async def _set(self, limit_ms: int) -> None:
        since_s = self._migration.sampler.now_s()
        await self._migration.pair.source.execute("migrate-set-parameters", {"downtime-limit": limit_ms})
        self._migration.sampler.note(AIMED, {"downtime-limit": limit_ms, "since": round(since_s, 6)})
