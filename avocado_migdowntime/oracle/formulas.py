# SPDX-License-Identifier: GPL-2.0-or-later
"""The formulas for expected-downtime, by name.

Each takes the bytes remaining at the last dirty sync, the figures of the following pass, of one sample (`Ram`) or of
many (`Samples`), and a bandwidth in bytes per millisecond. It returns the expected downtime in milliseconds.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

Figures = Any
"""A figure, or an array of figures."""


class RamFigures(Protocol):
    """What formulas need of a Ram, or of Samples."""

    @property
    def remaining_bytes(self) -> Figures:
        """Bytes left to send."""

    @property
    def wire_bytes_per_ms(self) -> Figures:
        """The bandwidth of QEMU's last window, in bytes per millisecond."""

    @property
    def dirty_bytes_per_ms(self) -> Figures:
        """QEMU's dirty-pages-rate, in bytes per millisecond."""

    @property
    def dirty_pages_per_s(self) -> Figures:
        """The same in pages per second."""

    @property
    def page_bytes(self) -> Figures:
        """The target's page size."""


Formula = Callable[[Figures, RamFigures, Figures], Figures]


def last_sync(at_sync_bytes: Figures, ram: RamFigures, bytes_per_ms: Figures) -> Figures:
    """Remaining at the last dirty sync ÷ bandwidth: QEMU since 3.0 (migration.c:migration_update_counters)."""
    return at_sync_bytes / bytes_per_ms


def dirty_rate(at_sync_bytes: Figures, ram: RamFigures, bytes_per_ms: Figures) -> Figures:
    """dirty-pages-rate × page-size ÷ bandwidth: QEMU before 3.0; uses a rate instead of an amount."""
    return ram.dirty_pages_per_s * ram.page_bytes / bytes_per_ms


def redirty(at_sync_bytes: Figures, ram: RamFigures, bytes_per_ms: Figures) -> Figures:
    """(Remaining at the last sync + what is dirtied while that is sent) ÷ bandwidth: proposed in 2019, declined."""
    return at_sync_bytes / bytes_per_ms * (1 + ram.dirty_bytes_per_ms / bytes_per_ms)


def live(at_sync_bytes: Figures, ram: RamFigures, bytes_per_ms: Figures) -> Figures:
    """Remaining now ÷ bandwidth: what a reader of `info migrate` computes by hand."""
    return ram.remaining_bytes / bytes_per_ms


FORMULAS: Mapping[str, Formula] = {
    "last-sync": last_sync,
    "dirty-rate": dirty_rate,
    "redirty": redirty,
    "live": live,
}
