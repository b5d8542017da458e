# SPDX-License-Identifier: GPL-2.0-or-later
"""Decides when to sample next: at a steady rate, and densely when a pass may be about to end."""

from ..basics.qemu_constants import BUFFER_DELAY_MS, MAX_WAIT_MS
from ..trace.ram import Ram
from ..trace.sample import Sample

_DENSE_S = 0.001
"""The pause between two samples while a pass may end at any moment."""
_RESTS_S, _ALERT_S = 0.9 * BUFFER_DELAY_MS / 1000, 1.3 * BUFFER_DELAY_MS / 1000
"""When the rest after a burst may be over, and when it should be: seconds since the last sample before the burst."""
_NOTICED_MS = 0.2 * BUFFER_DELAY_MS
"""The amount, as time at the bandwidth, that may be sent before the next steady sample is taken."""


class Pace:
    """The rhythm of sampling: every `period_s` while nothing is about to happen.

    Once a round of sending, QEMU checks whether what is left fits the downtime-limit. So a pass ends within a round of
    when it begins to fit, or with nothing left. If the rate limit makes QEMU rest until the next window, a round sends
    at once all that a window allows. Then samples start again when that window begins, without a break. If QEMU sends
    all the time, a sample is taken every millisecond.
    """

    def __init__(self, period_s: float, limit_ms: float | None, switchover_bytes_per_ms: float | None) -> None:
        self.limit_ms = limit_ms
        """The downtime-limit in force in ms, if known."""
        self._period_s = period_s
        self._switchover_bytes_per_ms = switchover_bytes_per_ms
        self._steady_s = self._before_burst_s = self._alert_until_s = 0.0
        self._last: tuple[float, Ram] | None = None

    def next_s(self, sample: Sample) -> float:
        """When the next sample is due after this one, on the clock of its `t_s`."""
        if sample.t_s >= self._steady_s:
            self._steady_s = max(self._steady_s + self._period_s, sample.t_s)
        last, ram = self._last, sample.ram
        if sample.status != "active" or ram is None:
            return self._steady_s
        self._last = sample.t_s, ram
        if last is None:
            return self._steady_s
        last_s, before = last
        rests = ram.sent_pages == before.sent_pages
        if not rests:
            self._before_burst_s = last_s
        fell_bytes_per_ms = (before.remaining_bytes - ram.remaining_bytes) / (sample.t_s - last_s) / 1000
        if not self._may_end(ram, 0.0 if rests else fell_bytes_per_ms):
            return self._steady_s
        return min(self._steady_s, self._dense_s(sample.answered_s, rests))

    def _dense_s(self, now_s: float, rests: bool) -> float:
        if rests and now_s < self._before_burst_s + _RESTS_S:
            return self._before_burst_s + _RESTS_S
        if rests:
            self._alert_until_s = self._before_burst_s + _ALERT_S
        return now_s if now_s < self._alert_until_s else now_s + _DENSE_S

    def _may_end(self, ram: Ram, fell_bytes_per_ms: float) -> bool:
        """Whether the pass may end in the next round, at the shown bandwidth or as fast as QEMU just sent."""
        wire = ram.wire_bytes_per_ms
        beyond_bytes = ram.remaining_bytes - (self.limit_ms or 0) * (self._switchover_bytes_per_ms or wire)
        if not fell_bytes_per_ms:
            window, noticed = BUFFER_DELAY_MS * wire, _NOTICED_MS * wire
            return ram.remaining_bytes < window + noticed or -window < beyond_bytes < noticed
        noticed = _NOTICED_MS * max(wire, fell_bytes_per_ms)
        return ram.remaining_bytes < noticed or -MAX_WAIT_MS * wire < beyond_bytes < noticed
