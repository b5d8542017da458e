# SPDX-License-Identifier: GPL-2.0-or-later
"""What a trace shows of how a migration goes: its syncs, how fast it sends, and how fast the guest dirties."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..oracle.evidence import Evidence
from ..oracle.passes import MIN_SAMPLES, Pass, ram_at
from ..oracle.syncs import Sync
from .dirty_curve import DirtyingCurve, curve, length_ms, pending_bytes, unsent_bytes
from .precopy import Course, Pending, predict

STALLED_S = 2.0
"""A migration that sent no page for so long is taken to send nothing."""


@dataclass(frozen=True)
class ObservedPrecopy:
    """The syncs between passes that were seen, at least one, and the curve that they make.

    `threshold_bytes_per_ms` is the bandwidth that QEMU multiplies the limit by, `wire_bytes_per_ms` that of its
    sending: medians over the samples of the last two passes, 0 where nothing is sent.
    """

    evidence: Evidence
    syncs: tuple[Sync, ...]
    curve: DirtyingCurve
    threshold_bytes_per_ms: float
    wire_bytes_per_ms: float

    @property
    def remaining_bytes(self) -> int:
        """What was left when the trace ended."""
        return ram_at(self.syncs[-1].after.samples, -1).remaining_bytes

    def next_bytes(self, pending: Pending) -> float:
        """What the next sync finds, whether a limit above that is set now or at the end of this pass.

        In between no more is pending than at one of the two, nor in later passes, for a steady guest. A pass may last
        one window longer than it needs, since QEMU looks between windows only.
        """
        last = self.syncs[-1].after
        at_sync_bytes = pending_bytes(self.syncs[-1])
        limit_bytes = min((self.evidence.limit_ms or 0) * self.threshold_bytes_per_ms, at_sync_bytes)
        whole_ms = (at_sync_bytes - limit_bytes) / self.wire_bytes_per_ms
        return max(
            pending((last.end_s - last.begin_s) * 1000, self.remaining_bytes),
            pending(whole_ms, limit_bytes),
            pending(whole_ms + BUFFER_DELAY_MS, max(0.0, limit_bytes - BUFFER_DELAY_MS * self.wire_bytes_per_ms)),
        )

    @property
    def surprises(self) -> list[float]:
        """What each sync found, as a share of what the curve makes likely; without that of the first pass."""
        return [
            pending_bytes(sync) / likely
            for sync in self.syncs
            if sync.before.number > 1 and (likely := self.curve.likely_pending(length_ms(sync), unsent_bytes(sync)))
        ]

    def course(self, pending: Pending, limit_ms: float, begin: Sync) -> Course:
        """The course from the sync `begin` under a limit."""
        return predict(pending, self.wire_bytes_per_ms, pending_bytes(begin), limit_ms, self.threshold_bytes_per_ms)


def observe(evidence: Evidence) -> ObservedPrecopy | None:
    """What a migration shows that nobody disturbed, or None where no pass was seen from end to end."""
    syncs = evidence.syncs
    syncs = [sync for sync in syncs if min(len(sync.before.samples), len(sync.after.samples)) >= MIN_SAMPLES] or syncs
    if not syncs:
        return None
    wire = _wire_bytes_per_ms(evidence.passes[-2:])
    return ObservedPrecopy(
        evidence=evidence,
        syncs=tuple(syncs),
        curve=curve(syncs),
        threshold_bytes_per_ms=(evidence.trace.switchover_bytes_per_ms or wire) if wire else 0.0,
        wire_bytes_per_ms=wire,
    )


def _wire_bytes_per_ms(passes: Sequence[Pass]) -> float:
    """The usual bandwidth in these passes, or 0 where nothing is sent although something is left.

    QEMU says that nothing is, or no page has left for long.
    """
    rates: list[float] = [rate for pass_ in passes for rate in pass_.samples.wire_bytes_per_ms.tolist()]
    last = ram_at(passes[-1].samples, -1)
    if last.remaining_bytes and (last.mbps == 0 or passes[-1].end_s - _moved_s(passes, last.sent_pages) > STALLED_S):
        return 0.0
    return median(rates)


def _moved_s(passes: Sequence[Pass], sent_pages: int) -> float:
    """When the last sample was taken that had not yet sent so many pages; if there is none, the first."""
    for pass_ in reversed(passes):
        before = np.flatnonzero(pass_.samples.sent_pages != sent_pages)
        if len(before):
            return float(pass_.samples.t_s[before[-1]])
    return passes[0].begin_s
