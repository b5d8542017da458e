# SPDX-License-Identifier: GPL-2.0-or-later
"""One look at a migration: the intervals of its figures, given rounding, and the formulas that they fit.

For a single sample it is not known what was left at the last sync, only that it was at least what is left now. So a
report above what is left may always be what was left then, even if another formula gives the same figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from ..basics.interval import Interval
from ..basics.qemu_constants import (
    BUFFER_DELAY_MS,
    DEFAULT_DOWNTIME_LIMIT_MS,
    LEAST_WINDOW_BYTES,
)
from ..trace.ram import GREATEST, LEEWAY

SHARP = 0.01
"""If rounding makes a figure uncertain by more than this share, a report that matches it proves no formula."""
NEAR = 0.15
"""A report may be off another formula by this share: it stays that of the previous pass until QEMU updates it."""
FAR_BELOW = 0.8
"""A report below this share of what is left is hardly the previous pass's, if the guest behaves as before."""
PACKED = 1.25
"""If the pages' size is this many times what was sent for them, they were encoded or compressed."""
ROUNDING = 1e-9
"""Equal floating-point figures may differ by less than this share: QEMU truncates a report computed from one."""
_RENEWED_MS = 2 * BUFFER_DELAY_MS
"""By then QEMU has updated its report after a sync."""
USUAL = 0.25
"""A bandwidth that differs from the whole migration's by more than this share is that of an unusual moment."""


@dataclass(frozen=True)
class Look:
    """What one answer shows, in milliseconds and bytes; None (or 0 for `syncs`) if it is not shown.

    `bytes_per_ms` is the shown bandwidth, unless it is `estimated`; `mean_bytes_per_ms` is that of the whole migration
    so far. QEMU divides by `switchover_bytes_per_ms` if that is set. `limit_ms` is the downtime-limit, `down_ms` the
    downtime according to QEMU, which is too little if the guest was `stopped_early`, `left_shown_ms` what is left now ÷
    bandwidth, from the figures as shown. `sent_bytes` is everything sent, if that is only RAM; `data_bytes` is the size
    of the data pages sent that way. `ran_over`: more is reported left than there is. `with_vfio`: the state of VFIO
    devices is sent as well, and no figure shows what is left of it. `may_report_rate`: the QEMU may be older than 3.0.
    `still_s` is how long nothing was seen to be sent. `no_precopy` says why this is no precopy, if it is none;
    `too_fast` why what was sent or the bandwidth cannot be right.
    """

    status: str
    reported_ms: Interval | None = None
    remaining_bytes: Interval | None = None
    bytes_per_ms: Interval | None = None
    dirty_bytes_per_ms: Interval | None = None
    syncs: int = 0
    conserved_bytes: float | None = None
    sent_bytes: float | None = None
    data_bytes: float | None = None
    total_bytes: float | None = None
    disk_bytes: float | None = None
    mean_bytes_per_ms: float | None = None
    estimated: bool = False
    switchover_bytes_per_ms: float | None = None
    limit_ms: float | None = None
    down_ms: float | None = None
    stopped_early: bool = False
    left_shown_ms: float | None = None
    ran_over: bool = False
    with_vfio: bool = False
    may_report_rate: bool = False
    most_left_bytes: float | None = None
    still_s: float = 0.0
    no_precopy: str = ""
    too_fast: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing is pending any more, or no downtime-limit will be compared with it."""
        return self.status != "active"

    @property
    def divisor(self) -> Interval | None:
        """The bandwidth that QEMU divides by, if it is above 0."""
        if self.switchover_bytes_per_ms:
            return Interval(self.switchover_bytes_per_ms, self.switchover_bytes_per_ms)
        bytes_per_ms = self.bytes_per_ms
        return bytes_per_ms if bytes_per_ms is not None and bytes_per_ms.low > 0 else None

    @property
    def left_ms(self) -> Interval | None:
        """What is left now ÷ bandwidth."""
        return _over(self.remaining_bytes, self.divisor)

    @property
    def all_ms(self) -> float | None:
        """The most that all of RAM takes at this bandwidth."""
        return self.total_bytes / self.divisor.low if self.total_bytes and self.divisor else None

    @property
    def dirtied_ms(self) -> Interval | None:
        """What the guest dirties in a second ÷ bandwidth, as the formula dirty-rate gives."""
        in_a_second = self.dirty_bytes_per_ms.scaled(1000) if self.dirty_bytes_per_ms is not None else None
        return _over(in_a_second, self.divisor)

    @property
    def packed(self) -> float | None:
        """The factor between the pages' size and the bytes sent for them, if pages were encoded or compressed.

        A page then takes less time than its size ÷ bandwidth, which QEMU assumes for what is pending.
        """
        if not self.data_bytes or not self.sent_bytes or self.data_bytes >= GREATEST / 2:
            return None  # A counter of pages that ran below 0 shows nothing.
        times = self.data_bytes / self.sent_bytes
        return times if times > PACKED else None

    @property
    def was_below(self) -> bool:
        """Whether the report is below what an earlier answer showed left in the same pass."""
        if self.reported_ms is None or self.divisor is None or self.most_left_bytes is None:
            return False
        return self.reported_ms.high < self.most_left_bytes / self.divisor.high

    @property
    def usual(self) -> bool:
        """Whether the bandwidth is known to be about that of the whole migration."""
        if not self.mean_bytes_per_ms or self.bytes_per_ms is None:
            return False
        return abs(self.bytes_per_ms.middle / self.mean_bytes_per_ms - 1) <= USUAL

    @property
    def lasted_ms(self) -> float | None:
        """How long the migration has lasted since its setup; None if unknown."""
        return self.sent_bytes / self.mean_bytes_per_ms if self.sent_bytes and self.mean_bytes_per_ms else None

    @property
    def in_first_pass(self) -> bool | None:
        """Whether this is the first pass, which sends all of RAM; None if unknown.

        Sent and remaining bytes add up to more than all of RAM only after a sync has found more.
        """
        if self.syncs:
            return self.syncs == 1
        least_left_bytes = self.remaining_bytes.low if self.remaining_bytes is not None else 0
        least_bytes = max(self.conserved_bytes or 0, (self.sent_bytes or 0) + least_left_bytes)
        return False if self.total_bytes and least_bytes > self.total_bytes * LEEWAY else None

    @property
    def uncomputed(self) -> bool:
        """Whether QEMU may not have computed a report yet: it starts with the downtime-limit, and still shows that in
        pass 2.
        """
        begins_with = (0, DEFAULT_DOWNTIME_LIMIT_MS if self.limit_ms is None else self.limit_ms)
        return self.syncs <= 2 and self.reported_ms is not None and self.reported_ms.low in begins_with

    @property
    def idle(self) -> bool:
        """Whether QEMU may show a dirty rate of 0, in which case it computes nothing up to 11.0."""
        return self.dirty_bytes_per_ms is not None and not self.dirty_bytes_per_ms.low

    @property
    def hardly_sent(self) -> bool:
        """Whether so little is sent that QEMU up to 11.0 leaves its report unchanged."""
        return self.bytes_per_ms is not None and self.bytes_per_ms.middle * BUFFER_DELAY_MS <= LEAST_WINDOW_BYTES

    def explanations(self, tolerance: float) -> Mapping[str, Interval | None]:
        """The formulas that may have given the report; for each, what was left at the last sync in ms, if it tells
        that.

        What is left is compared within the relative `tolerance`: QEMU truncates figures, and may round bandwidths.
        """
        reported_ms, left_ms, dirtied_ms = self.reported_ms, self.left_ms, self.dirtied_ms
        if reported_ms is None or left_ms is None:
            return {}
        formulas: dict[str, Interval | None] = {}
        least_ms = left_ms.low * (1 - tolerance)
        if reported_ms.high >= least_ms:
            formulas["last-sync"] = Interval(max(reported_ms.low, min(left_ms.low, reported_ms.high)), reported_ms.high)
        near = Interval(reported_ms.low * (1 - ROUNDING), reported_ms.high * (1 + ROUNDING))
        if dirtied_ms is not None and near.meets(dirtied_ms):
            formulas["dirty-rate"] = None
        if dirtied_ms is not None and (high := reported_ms.high / (1 + dirtied_ms.low / 1000)) >= left_ms.low * (
            1 - NEAR
        ):
            formulas["redirty"] = Interval(min(reported_ms.low / (1 + dirtied_ms.high / 1000), high), high)
        if near.meets(left_ms):
            formulas["live"] = None
        return formulas

    @property
    def of_second_pass(self) -> Mapping[str, Interval]:
        """What other formulas gave in the second pass, ms, if the third begins now and the report was not updated yet.

        Then what is left now was dirtied in the second pass, whose length follows from the dirty rate. What was sent in
        the second pass was dirtied in the first, which took all the time before.
        """
        left_ms, dirtied_ms, divisor, until_now_ms = self.left_ms, self.dirtied_ms, self.divisor, self.lasted_ms
        if self.syncs not in (0, 3) or until_now_ms is None:
            return {}
        if left_ms is None or divisor is None or dirtied_ms is None or not dirtied_ms.low:
            return {}
        if (self.most_left_bytes or 0) / divisor.high > left_ms.high + _RENEWED_MS:
            return {}
        second_ms = Interval(1000 * left_ms.low / dirtied_ms.high, 1000 * left_ms.high / dirtied_ms.low)
        if second_ms.low >= until_now_ms:
            return {}
        first_ms = Interval(max(0.0, until_now_ms - second_ms.high), until_now_ms - second_ms.low)
        dirtied = Interval(second_ms.low / first_ms.high, second_ms.high / first_ms.low if first_ms.low else inf)
        gave = {
            "dirty-rate": dirtied.scaled(1000),
            "redirty": Interval(second_ms.low * (1 + dirtied.low), second_ms.high * (1 + dirtied.high)),
        }
        return {name: Interval(ms.low * (1 - NEAR), ms.high * (1 + NEAR)) for name, ms in gave.items()}

    @property
    def mean_pass_ms(self) -> float | None:
        """How long passes took on average, if the last sync found what is reported; None if unknown."""
        left_ms, reported_ms, until_now_ms = self.left_ms, self.reported_ms, self.lasted_ms
        if not (left_ms and reported_ms and until_now_ms) or self.syncs < 2:
            return None
        return max(0.0, until_now_ms - max(0.0, reported_ms.low - left_ms.high)) / (self.syncs - 1)

    @property
    def found_unusually_much(self) -> bool:
        """Whether the report is more than a sync usually found: a pass takes that, less what the limit leaves."""
        if self.mean_pass_ms is None or self.reported_ms is None:
            return False
        limit_ms = DEFAULT_DOWNTIME_LIMIT_MS if self.limit_ms is None else self.limit_ms
        return self.reported_ms.low > (1 + USUAL) * (self.mean_pass_ms + limit_ms)

    @property
    def sharp(self) -> bool:
        """Whether a report that matches dirty-rate hardly does so by chance."""
        dirtied_ms, reported_ms, left_ms = self.dirtied_ms, self.reported_ms, self.left_ms
        if dirtied_ms is None or reported_ms is None or left_ms is None or not dirtied_ms.low:
            return False
        return (
            max(dirtied_ms.width, reported_ms.width) <= SHARP * dirtied_ms.low
            and reported_ms.high < FAR_BELOW * left_ms.low
        )


def _over(size_bytes: Interval | None, bytes_per_ms: Interval | None) -> Interval | None:
    if size_bytes is None or bytes_per_ms is None:
        return None
    return Interval(size_bytes.low / bytes_per_ms.high, size_bytes.high / bytes_per_ms.low)
