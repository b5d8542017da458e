# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to compute expected-downtime, by name.

Each takes the bytes remaining at the last dirty sync and one `Ram` of the pass that followed, and gives the
expected downtime in milliseconds for a bandwidth in bytes per millisecond.
"""

from collections.abc import Callable, Mapping

from ..trace.model import Ram

Formula = Callable[[float, Ram, float], float]


def last_sync(at_sync_bytes: float, ram: Ram, bytes_per_ms: float) -> float:
    """Remaining at the last dirty sync ÷ bandwidth: QEMU since 3.0 (migration.c:migration_update_counters)."""
    return at_sync_bytes / bytes_per_ms


def dirty_rate(at_sync_bytes: float, ram: Ram, bytes_per_ms: float) -> float:
    """dirty-pages-rate × page-size ÷ bandwidth: QEMU before 3.0; a rate where an amount was meant."""
    return ram.dirty_pages_per_s * ram.page_bytes / bytes_per_ms


def redirty(at_sync_bytes: float, ram: Ram, bytes_per_ms: float) -> float:
    """Remaining at the last sync and what is dirtied while it is sent: proposed for QEMU in January 2019, declined."""
    return at_sync_bytes / bytes_per_ms * (1 + ram.dirty_bytes_per_ms / bytes_per_ms)


def live(at_sync_bytes: float, ram: Ram, bytes_per_ms: float) -> float:
    """Remaining now ÷ bandwidth: what a reader of `info migrate` computes by hand."""
    return ram.remaining_bytes / bytes_per_ms


FORMULAS: Mapping[str, Formula] = {
    "last-sync": last_sync,
    "dirty-rate": dirty_rate,
    "redirty": redirty,
    "live": live,
}
