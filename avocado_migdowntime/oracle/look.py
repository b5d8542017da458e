# SPDX-License-Identifier: GPL-2.0-or-later
"""One look at a migration: what its figures may be, as far as rounding leaves that open, and which formulas they fit.

Of a single sample it is not known what was left at the last sync, only that it was no less than what is left now. So a
report above what is left may always be what was left then, whatever other formula gives the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..basics.interval import Interval
from ..basics.qemu_constants import (
    BUFFER_DELAY_MS,
    DEFAULT_DOWNTIME_LIMIT_MS,
    LEAST_WINDOW_BYTES,
)
from ..trace.ram import GREATEST, LEEWAY

SHARP = 0.01
"""Where rounding leaves a figure open by more than this share, it is no sign of a formula that a report meets it."""
NEAR = 0.15
"""By so much a report may be off what another formula gives, as it is that of the previous pass until it is renewed."""
FAR_BELOW = 0.8
"""A report that is further below what is left is hardly that of the pass before, of a guest that goes on as it did."""
PACKED = 1.25
"""Pages that are so many times what was sent for them went out encoded or compressed."""
ROUNDING = 1e-9
"""By less than this share two floating-point figures differ that are the same: QEMU cuts what it computed from one."""
USUAL = 0.25
"""A bandwidth further than this share from that of the whole migration is that of an unusual moment."""


@dataclass(frozen=True)
class Look:
    """What one answer shows; None where it does not, 0 for `syncs` where it does not. Milliseconds and bytes.

    `bytes_per_ms` is the bandwidth that was shown, unless it is `estimated`, `mean_bytes_per_ms` that of the whole
    migration until then. QEMU divides by `switchover_bytes_per_ms` where that is set. `limit_ms` is the downtime-limit,
    `down_ms` what QEMU says that the guest was down for, `left_shown_ms` what is left now ÷ bandwidth by the figures as
    they stand. `sent_bytes` is all that went out, where that is of RAM alone, `data_bytes` the size of the pages with
    data that went so. Where `ran_over`, more is reported left than there is; `with_vfio`, state of VFIO devices is sent
    as well, of which no figure tells what is left. `may_report_rate` where the QEMU may be older than 3.0.
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
    left_shown_ms: float | None = None
    ran_over: bool = False
    with_vfio: bool = False
    may_report_rate: bool = False
    most_left_bytes: float | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing is pending any more, or will be met by a downtime-limit."""
        return self.status != "active"

    @property
    def divisor(self) -> Interval | None:
        """The bandwidth that QEMU divides by, where there is one: above 0."""
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
        """What the guest dirties in a second ÷ bandwidth, which is what the formula dirty-rate gives."""
        in_a_second = self.dirty_bytes_per_ms.scaled(1000) if self.dirty_bytes_per_ms is not None else None
        return _over(in_a_second, self.divisor)

    @property
    def packed(self) -> float | None:
        """How many times as long as what was sent are the pages that went so, where they were encoded or compressed.

        A page then takes less time than its size ÷ bandwidth, by which QEMU counts what is pending.
        """
        if not self.data_bytes or not self.sent_bytes or self.data_bytes >= GREATEST / 2:
            return None  # A counter of pages that ran below 0 shows nothing.
        times = self.data_bytes / self.sent_bytes
        return times if times > PACKED else None

    @property
    def was_below(self) -> bool:
        """Whether the report is below what an answer before it showed left in the same pass."""
        if self.reported_ms is None or self.divisor is None or self.most_left_bytes is None:
            return False
        return self.reported_ms.high < self.most_left_bytes / self.divisor.high

    @property
    def usual(self) -> bool:
        """Whether the bandwidth is shown to be about that of the whole migration."""
        if not self.mean_bytes_per_ms or self.bytes_per_ms is None:
            return False
        return abs(self.bytes_per_ms.middle / self.mean_bytes_per_ms - 1) <= USUAL

    @property
    def in_first_pass(self) -> bool | None:
        """Whether it is the first pass, which sends all of RAM; None where that cannot be told.

        What was sent and what is left come to more than all of RAM only after a sync has found more.
        """
        if self.syncs:
            return self.syncs == 1
        least_left_bytes = self.remaining_bytes.low if self.remaining_bytes is not None else 0
        least_bytes = max(self.conserved_bytes or 0, (self.sent_bytes or 0) + least_left_bytes)
        return False if self.total_bytes and least_bytes > self.total_bytes * LEEWAY else None

    @property
    def uncomputed(self) -> bool:
        """Whether QEMU may have computed nothing yet: it begins with the downtime-limit, and shows it in pass 2 too."""
        begins_with = (0, DEFAULT_DOWNTIME_LIMIT_MS if self.limit_ms is None else self.limit_ms)
        return self.syncs <= 2 and self.reported_ms is not None and self.reported_ms.low in begins_with

    @property
    def idle(self) -> bool:
        """Whether QEMU may show a dirty rate of 0, beside which it computes nothing up to 11.0."""
        return self.dirty_bytes_per_ms is not None and not self.dirty_bytes_per_ms.low

    @property
    def hardly_sent(self) -> bool:
        """Whether so little goes out that QEMU up to 11.0 leaves its report as it is."""
        return self.bytes_per_ms is not None and self.bytes_per_ms.middle * BUFFER_DELAY_MS <= LEAST_WINDOW_BYTES

    def explanations(self, tolerance: float) -> Mapping[str, Interval | None]:
        """The formulas that may have given the report, each with what was left at the last sync, ms, if it tells that.

        Within the relative `tolerance` for what is left: QEMU cuts figures, and may round bandwidths.
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
    def sharp(self) -> bool:
        """Whether a report that meets what dirty-rate gives hardly does so by chance."""
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
