# SPDX-License-Identifier: GPL-2.0-or-later
"""The last answer of a trace as one look: as the source text showed it, or else as it was sampled."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..basics.interval import Interval
from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from ..basics.units import MIB
from ..trace.ram import optional_number, ran_over, too_fast
from ..trace.reading import Reading
from ..trace.sample import Sample
from .evidence import Evidence
from .look import Look
from .releases import era

_DIRTIED = 1000
"""No guest's RAM is dirtied whole, and found to be by a sync, this many times in a second."""
_NEWER = frozenset(("multifd-bytes", "pages-per-second", "precopy-bytes"))
"""Figures that QEMU shows since 3.0, 4.0 and 7.0. libvirt shows none of them, but since 5.0 it shows the number of
pages that postcopy requested. QEMU before 3.0 showed that too, along with the number of skipped pages. That libvirt is
younger than QEMU 3.0.
"""
_CLOCK_SET_S = 1800.0
"""Zones and summer time differ by multiples of this: between lines this far apart, a log's clock may have been set."""
_TWO_DIGITS = 0.005
"""The uncertainty of an mbps that a text shows with two digits."""


def last_look(evidence: Evidence) -> Look:
    """What the last sample of `evidence` shows."""
    trace, sample = evidence.trace, evidence.samples[-1]
    reading = _reading_of(evidence)
    lacks = trace.lacks
    ram, part = sample.ram, reading.answer.get("ram")
    ram_figures: Mapping[str, Any] = part if isinstance(part, Mapping) else {}
    remaining = (
        _within_rounding(reading, "ram.remaining", ram.remaining_bytes)
        if ram and "ram.remaining" not in lacks
        else None
    )
    mbps = _within_rounding(reading, "ram.mbps", ram.mbps) if ram and "ram.mbps" not in lacks else None
    if mbps is not None and mbps.high and trace.snapshot and not reading.answer:
        mbps = Interval(max(0.0, mbps.low - _TWO_DIGITS), mbps.high + _TWO_DIGITS)
    dirty = None
    if ram and "ram.dirty-pages-rate" not in lacks:
        dirty = _within_rounding(reading, "ram.dirty-pages-rate", ram.dirty_pages_per_s).scaled(ram.page_bytes / 1000)
    over = ran_over(ram_figures)
    if over:
        remaining = Interval(ram_figures["remaining"], ram_figures["remaining"])
    are_counted = ram is not None and ram.sent_pages and "ram.normal" not in lacks
    return Look(
        status=sample.status,
        reported_ms=_reported(sample, reading),
        remaining_bytes=remaining,
        bytes_per_ms=mbps.scaled(BYTES_PER_MS_PER_MBPS) if mbps is not None else None,
        estimated="ram.mbps" in reading.estimated,
        dirty_bytes_per_ms=dirty,
        syncs=int(ram.dirty_sync_count) if ram and "ram.dirty-sync-count" not in lacks else 0,
        conserved_bytes=ram.conserved_bytes if ram and are_counted else None,
        data_bytes=(ram.sent_pages - ram.zero_pages) * ram.page_bytes if ram and are_counted else None,
        total_bytes=sample.total_bytes,
        sent_bytes=_transferred(reading.answer) if sample.vfio_bytes is None else None,
        disk_bytes=sample.disk_bytes,
        mean_bytes_per_ms=_mean(reading.answer),
        switchover_bytes_per_ms=trace.switchover_bytes_per_ms,
        limit_ms=trace.downtime_limit_ms if trace.is_bare_text else evidence.limits.at(sample.t_s),
        down_ms=sample.downtime_ms,
        stopped_early=trace.was_stopped_early,
        left_shown_ms=_left_ms(ram_figures, trace.switchover_bytes_per_ms),
        ran_over=over,
        with_vfio=sample.vfio_bytes is not None,
        no_precopy=trace.no_precopy,
        too_fast=trace.doubt or _too_fast(ram_figures),
        may_report_rate=_may_report_rate(evidence, reading),
        still_s=_still_s(evidence, reading),
        most_left_bytes=None if {"ram.remaining", "ram.dirty-sync-count"} & set(lacks) else _most_left(evidence),
    )


def _reading_of(evidence: Evidence) -> Reading:
    """What a text shows of the last sample of `evidence`, which may be a part of the trace."""
    trace, samples = evidence.trace, evidence.samples
    last = len(trace.samples)
    if len(samples) < last:
        last = int(np.searchsorted(trace.samples.t_s, samples.t_s[-1], side="right"))
    count = last - len(trace.samples) + len(trace.readings)
    return trace.readings[count - 1] if count > 0 else Reading({})


def _may_report_rate(evidence: Evidence, reading: Reading) -> bool:
    """Whether this may be a QEMU before 3.0: by its release, or else by the figures that its text has."""
    if not reading.answer:
        return False
    if evidence.release is not None:
        rate = era("dirty-rate")
        return rate is not None and rate.holds(evidence.release)
    ram = reading.answer.get("ram")
    names = ram.keys() if isinstance(ram, Mapping) else set()
    return _NEWER.isdisjoint(names) and not ("postcopy-requests" in names and "skipped" not in names)


def _most_left(evidence: Evidence) -> float:
    """The most that an answer of the last pass certainly shows as left."""
    samples = evidence.samples
    of_it = samples.has_ram & (samples.dirty_sync_count == samples.dirty_sync_count[-1])
    return float((samples.remaining_bytes - samples.open_bytes)[of_it].max(initial=0))


def _still_s(evidence: Evidence, reading: Reading) -> float:
    """How long nothing was seen to be sent at the end although RAM is left; 0 if not known.

    Samples that are far apart show a pause only if all their counters are equal.
    """
    samples, lacks = evidence.samples, evidence.trace.lacks
    ram = samples[-1].ram
    if ram is None or not ram.remaining_bytes or "ram.remaining" in lacks:
        return 0.0
    sent = reading.rounding.get("ram.transferred")
    is_coarse = ram.transferred_bytes is None or (sent is not None and sent.width > MIB)
    if is_coarse and "ram.normal" in lacks:
        return 0.0
    columns = np.stack([samples.remaining_bytes, samples.sent_pages, samples.transferred_bytes])
    differ = np.any((columns != columns[:, -1:]) & ~np.isnan(columns), axis=0) | ~samples.has_ram
    begin = int(np.max(np.flatnonzero(differ), initial=-1)) + 1
    apart_s = np.diff(samples.t_s[begin:])
    if reading.answer and "total-time" not in reading.answer:
        apart_s = np.where(apart_s < _CLOCK_SET_S, apart_s, apart_s % _CLOCK_SET_S)
    return float(np.sum(apart_s))


def _within_rounding(reading: Reading, name: str, value: float) -> Interval:
    return reading.rounding.get(name, Interval(value, value))


def _reported(sample: Sample, reading: Reading) -> Interval | None:
    """The possible values of the report before QEMU truncated it to whole milliseconds; None if it is not shown."""
    if sample.expected_downtime_ms is None:
        return None
    report_ms = _within_rounding(reading, "expected-downtime", sample.expected_downtime_ms)
    return Interval(report_ms.low, report_ms.high + 1)


def _left_ms(ram: Mapping[str, Any], switchover_bytes_per_ms: float | None) -> float | None:
    remaining, mbps = ram.get("remaining"), ram.get("mbps")
    if not isinstance(remaining, int | float) or not isinstance(mbps, int | float):
        return None
    bytes_per_ms = switchover_bytes_per_ms or mbps * BYTES_PER_MS_PER_MBPS
    return remaining / bytes_per_ms if bytes_per_ms else None


def _too_fast(ram: Mapping[str, Any]) -> str:
    if too_fast(ram):
        return f"{ram['mbps']:.10g} mbps are shown, more than any link carries"
    rate, page_bytes, total_bytes = (optional_number(ram, name) for name in ("dirty-pages-rate", "page-size", "total"))
    if rate is None or page_bytes is None or total_bytes is None or rate * page_bytes <= _DIRTIED * total_bytes:
        return ""
    return f"{rate:.10g} dirty pages per second are shown, more than a guest of this size dirties"


def _mean(answer: Mapping[str, Any]) -> float | None:
    """The mean bandwidth of the whole migration: bytes transferred ÷ time since the setup."""
    transferred_bytes, whole_ms, setup_ms = _transferred(answer), answer.get("total-time"), answer.get("setup-time", 0)
    if transferred_bytes is None or not isinstance(whole_ms, int | float):
        return None
    lasted_ms = whole_ms - (setup_ms if isinstance(setup_ms, int | float) else 0)
    return transferred_bytes / lasted_ms if lasted_ms > 0 else None


def _transferred(answer: Mapping[str, Any]) -> float | None:
    ram = answer.get("ram")
    transferred_bytes = ram.get("transferred") if isinstance(ram, Mapping) else None
    return transferred_bytes if isinstance(transferred_bytes, int | float) else None
