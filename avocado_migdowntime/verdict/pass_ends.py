# SPDX-License-Identifier: GPL-2.0-or-later
"""Where passes ended, compared with the limit in force; gathered in one go, because there may be very many passes."""

from array import array
from collections.abc import Iterable

import numpy as np

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..oracle.devices import LEAST_BYTES
from ..oracle.evidence import Evidence
from ..oracle.syncs import Sync
from ..trace.samples import Floats
from .blind import why_it_may_go_on
from .limit_at_switchover import BURST_MS, Ending
from .looks import stride_bytes, works_as_ms

SLACK = 0.05
"""The share of the limit by which the bandwidth may have changed since QEMU computed its threshold."""
_FEW = 0.1
"""Up to this share of a window, zero pages are few; with more, it is unknown when QEMU checked."""

_SPREAD = 0.5
"""If remaining and sent bytes spread by this share of what was left, samples of a pass belong to the next one."""
_WENT_ON = "went-on-in-a-pass"


class PassEnds:
    """The ends of passes: how many were seen closely enough, how many of these are wrong, and what the others bound.

    A sync in mid-pass ends none. What devices have left may count as unsent as well.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.seen = self.wrong = 0
        self.first_wrong: Ending | None = None
        self.some_in_mid_pass = False
        self.last_sync: Sync | None = None
        self._evidence = evidence
        self._may_go_on = why_it_may_go_on(evidence)
        self._devices_bytes = _devices_bytes(evidence)
        self._some_went_on = False
        self._works_as_ms = array("d")
        self._unsent_ms = array("d")
        self._short = _ShortPasses()

    @classmethod
    def of(cls, evidence: Evidence, syncs: Iterable[Sync], are_judged: bool) -> "PassEnds":
        """The ends that `syncs` show. None counts as seen unless they `are_judged`; then each sync needs a limit."""
        ends = cls(evidence)
        for sync in syncs:
            if sync.in_mid_pass:
                ends.some_in_mid_pass = True
            else:
                ends._add(sync, are_judged)
        return ends

    @property
    def works_as_ms(self) -> Floats:
        """The interval of limits that would end a pass there, a row for each end; leaves out ends among zero pages."""
        return _rows(self._works_as_ms)

    @property
    def unsent_ms(self) -> Floats:
        """How much each pass ended with, one row each: the least and the most."""
        return _rows(self._unsent_ms)

    @property
    def went_on(self) -> Ending | None:
        """The finding about passes that should have been the switchover."""
        return None if self._may_go_on else self._short.ending

    @property
    def unclear(self) -> str:
        """The code of why QEMU may have gone on where it seems to violate the limit; '' if it does not seem to."""
        return self._may_go_on if self._some_went_on or self._short.ending else ""

    def _add(self, sync: Sync, is_judged: bool) -> None:
        if self.last_sync is not None and _adds_up(self.last_sync):
            self._short.add(self.last_sync)
        self.last_sync = sync
        if not _adds_up(sync):
            return
        _put(self._unsent_ms, sync.unsent_ms)
        devices = self._devices_bytes
        end = _pass_end(self._evidence, sync, devices or 0.0) if is_judged else None
        if end is not None and end.code == _WENT_ON and self._may_go_on and (devices is None or _began_within(sync)):
            self._some_went_on = True
            return
        if devices is not None and sync.zero_bytes < _FEW * BUFFER_DELAY_MS * sync.wire_bytes_per_ms.high:
            works_as = works_as_ms(self._evidence, sync)
            _put(self._works_as_ms, works_as.shifted(0, devices / sync.bytes_per_ms.low))
        if end is not None:
            self.seen += 1
            if end.code:
                self.wrong += 1
                self.first_wrong = self.first_wrong or end


class _ShortPasses:
    """Passes that began well below the limit, if there are two or more: each should have been the switchover.

    Half the limit is reserved for devices, whose state QEMU counts but query-migrate does not always show.
    """

    def __init__(self) -> None:
        self._count, self._most_ms = 0, 0.0
        self._limit_ms: float | None = None

    def add(self, sync: Sync) -> None:
        """Check the pass that this sync began, and that others followed."""
        if sync.limit_bytes and sync.at_sync_bytes.high < sync.limit_bytes.low / 2 - sync.before.last.page_bytes:
            self._count, self._limit_ms = self._count + 1, sync.limit_ms
            self._most_ms = max(self._most_ms, sync.at_sync_bytes.high / sync.bytes_per_ms.low)

    @property
    def ending(self) -> Ending | None:
        """The finding, if there are two such passes."""
        if self._count < 2:
            return None
        reason = (
            f"QEMU went on {self._count} times although at most {self._most_ms:.0f} ms were left at a sync and the "
            f"downtime-limit is {self._limit_ms:.10g} ms"
        )
        return Ending("went-on-at-a-sync", reason)


def _adds_up(sync: Sync) -> bool:
    """Whether the bytes of the passes on both sides do. With multifd 11.1 may show what a sync found long before it
    counts the sync.
    """
    return all(
        one.spread_bytes <= _SPREAD * max(one.first.remaining_bytes, one.last.remaining_bytes)
        for one in (sync.before, sync.after)
    )


def _put(rows: "array[float]", interval: Interval) -> None:
    rows.extend((interval.low, interval.high))


def _rows(bounds: "array[float]") -> Floats:
    return np.array(bounds).reshape(-1, 2)


def _began_within(sync: Sync) -> bool:
    """Whether the pass that this sync ended began with no more than the limit allows."""
    return sync.limit_bytes is not None and sync.before.first.remaining_bytes <= sync.limit_bytes.high


def _devices_bytes(evidence: Evidence) -> float | None:
    """The most that devices have left; None if it is hidden."""
    if evidence.samples.hides_devices:
        return None
    devices = evidence.devices
    return devices.likely_bytes.high if devices is not None and devices.likely_bytes.low >= LEAST_BYTES else 0.0


def _pass_end(evidence: Evidence, sync: Sync, devices_bytes: float) -> Ending | None:
    """What the end of a pass shows if devices have up to so much left; None if it was not seen closely enough."""
    unsent, limit = sync.unsent_bytes, sync.limit_bytes
    assert limit is not None
    page_bytes = sync.before.last.page_bytes
    least, most = limit.low * (1 - SLACK), limit.high * (1 + SLACK)
    burst = BURST_MS * sync.wire_bytes_per_ms.high
    is_limit = f"the downtime-limit is {sync.limit_ms:.10g} ms"
    if unsent.low > most + page_bytes:
        return Ending("ended-early", f"a pass ended with {sync.unsent_ms.low:.0f} ms still unsent, but {is_limit}")
    if unsent.high > most + burst:
        return None
    left_bytes = unsent.high + devices_bytes
    if left_bytes + burst >= least:
        return Ending()
    if left_bytes + burst + max(stride_bytes(evidence, page_bytes), sync.zero_bytes) >= least:
        return None
    reason = f"a pass went on until {left_bytes / sync.bytes_per_ms.low:.0f} ms were unsent although {is_limit}"
    return Ending(_WENT_ON, reason)
