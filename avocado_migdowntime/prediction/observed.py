# SPDX-License-Identifier: GPL-2.0-or-later
"""What a trace shows of how a migration goes: its syncs, how fast it sends, and how fast the guest dirties."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ..oracle.passes import MIN_SAMPLES, Sync, passes, syncs
from ..trace.model import Ram, Sample, Trace
from .dirty_curve import DirtyingCurve, curve, found_bytes, length_ms, unsent_bytes
from .precopy import WINDOW_MS, Course, Pending, predict

STALLED_S = 2.0
"""A migration that sent no page for so long is taken to send nothing."""


@dataclass(frozen=True)
class History:
    """The syncs between passes that were seen, at least one, and the curve that they make.

    `threshold_bytes_per_ms` is the bandwidth that QEMU multiplies the limit by, `wire_bytes_per_ms` that of its
    sending: medians over the samples of the last two passes, 0 where nothing is sent.
    """

    trace: Trace
    found: tuple[Sync, ...]
    curve: DirtyingCurve
    threshold_bytes_per_ms: float
    wire_bytes_per_ms: float

    @property
    def remaining_bytes(self) -> int:
        """What was left when the trace ended."""
        return _ram(self.found[-1].after.samples[-1]).remaining_bytes

    def next_bytes(self, pending: Pending) -> float:
        """What the next sync finds, whether a limit above that is set now or at the end of this pass.

        In between no more is pending than at one of the two, nor in later passes, for a steady guest. A pass may last
        one window longer than it needs, since QEMU looks between windows only.
        """
        last = self.found[-1].after
        at_sync, now = found_bytes(self.found[-1]), last.samples[-1]
        limit_bytes = min((self.trace.downtime_limit_ms or 0) * self.threshold_bytes_per_ms, at_sync)
        whole_ms = (at_sync - limit_bytes) / self.wire_bytes_per_ms
        return max(
            pending((now.t_s - last.samples[0].t_s) * 1000, self.remaining_bytes),
            pending(whole_ms, limit_bytes),
            pending(whole_ms + WINDOW_MS, max(0.0, limit_bytes - WINDOW_MS * self.wire_bytes_per_ms)),
        )

    @property
    def surprises(self) -> list[float]:
        """What each sync found, as a share of what the curve makes likely; without that of the first pass."""
        return [
            found_bytes(sync) / likely
            for sync in self.found
            if sync.before.number > 1 and (likely := self.curve.likely_pending(length_ms(sync), unsent_bytes(sync)))
        ]

    def course(self, pending: Pending, limit_ms: float, begin: Sync) -> Course:
        """The course from the sync `begin` under a limit."""
        return predict(pending, self.wire_bytes_per_ms, found_bytes(begin), limit_ms, self.threshold_bytes_per_ms)


def history(trace: Trace) -> History | None:
    """The history that the trace shows, or None where no pass was seen from end to end."""
    seen = passes(trace)
    found = syncs(trace, seen)
    found = [sync for sync in found if min(len(sync.before.samples), len(sync.after.samples)) >= MIN_SAMPLES] or found
    if not found:
        return None
    recent = [sample for one in seen[-2:] for sample in one.samples]
    wire = 0.0 if _stalled(recent) else median(_ram(sample).wire_bytes_per_ms for sample in recent)
    return History(
        trace=trace,
        found=tuple(found),
        curve=curve(found),
        threshold_bytes_per_ms=(trace.switchover_bytes_per_ms or wire) if wire else 0.0,
        wire_bytes_per_ms=wire,
    )


def _stalled(samples: Sequence[Sample]) -> bool:
    """Whether nothing is sent although something is left: QEMU says so, or no page has left for long."""
    last = _ram(samples[-1])
    if not last.remaining_bytes:
        return False
    moved_s = next((s.t_s for s in reversed(samples) if _ram(s).sent_pages != last.sent_pages), samples[0].t_s)
    return last.mbps == 0 or samples[-1].t_s - moved_s > STALLED_S


def _ram(sample: Sample) -> Ram:
    assert sample.ram is not None
    return sample.ram
