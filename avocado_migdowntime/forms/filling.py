# SPDX-License-Identifier: GPL-2.0-or-later
"""Completes an answer to query-migrate by what can be computed from what a text shows.

A figure is computed exactly if possible (`derived`), otherwise approximately (`estimated`), otherwise it is listed as
lacking and set to 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..basics.interval import Interval
from ..basics.printable import quoted
from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS, GREATEST_MBPS
from ..errors import UsageError
from ..trace.reading import Reading, Stamp

NEEDED = ("remaining", "page-size", "normal", "duplicate", "dirty-sync-count", "dirty-pages-rate", "mbps")
"""The RAM figures that a sample of a trace needs."""
_TO_THE_BYTE = "ram.precopy-bytes"
_PAGE_SIZES = tuple(1 << power for power in range(10, 17))
_OF_POSTCOPY = ("postcopy-requests", "postcopy-bytes")
USUAL_PAGE_BYTES = 4096


AS_READ = "as-read"
"""Key of a recorded answer that was read from a text, with what is known about its figures; QEMU has no such field."""


@dataclass(frozen=True)
class Filled:
    """A reading with a complete `answer`, and the names of the figures that it still `lacks`."""

    reading: Reading
    lacks: tuple[str, ...] = ()
    ram: Mapping[str, Any] | None = None
    """What is shown of RAM where that is too little for a sample."""

    @property
    def figures(self) -> Mapping[str, Any]:
        """The answer without figures that are useless if rounded: byte counts that must be exact."""
        answer, interval = self.reading.answer, self.reading.rounding.get(_TO_THE_BYTE)
        if interval is None or not interval.width or not isinstance(answer.get("ram"), Mapping):
            return answer
        ram = {name: value for name, value in answer["ram"].items() if f"ram.{name}" != _TO_THE_BYTE}
        return {**answer, "ram": ram}

    @property
    def recordable(self) -> Mapping[str, Any]:
        """The answer to be recorded, with what is known about its figures: see `reading_of_record`."""
        one = self.reading
        rounding = {name: [interval.low, interval.high] for name, interval in one.rounding.items()}
        annotations = {"rounding": rounding, "derived": dict(one.derived), "estimated": dict(one.estimated)}
        annotations |= {"lacks": list(self.lacks)}
        annotations = {name: value for name, value in annotations.items() if value}
        answer = one.answer if self.ram is None else {**one.answer, "ram": self.ram}
        return {**answer, AS_READ: annotations} if annotations else answer


def reading_of_record(recorded: Mapping[str, Any], stamp: Stamp | None) -> Reading:
    """The reading that was recorded: the inverse of `Filled.recordable`.

    Raises UsageError if what is recorded about its figures is malformed.
    """
    answer, annotations = dict(recorded), recorded.get(AS_READ)
    if annotations is None:
        return Reading(answer, stamp)
    try:
        del answer[AS_READ]
        ram = dict(answer.pop("ram", None) or {})
        for name in annotations.get("lacks", ()):
            ram.pop(name.removeprefix("ram."), None)
        rounding = {name: Interval(low, high) for name, (low, high) in annotations.get("rounding", {}).items()}
        derived, estimated = (dict(annotations.get(name, {})) for name in ("derived", "estimated"))
    except (AttributeError, KeyError, TypeError, ValueError):
        wrong = f"{AS_READ!r} is {quoted(annotations)}, expected what `record` writes there"
        raise UsageError(f"{wrong}; record it again") from None
    return Reading({**answer, **({"ram": ram} if ram else {})}, stamp, rounding, derived, estimated)


def filled(reading: Reading) -> Filled:
    """The reading, completed with all that a sample needs."""
    if _is_whole(reading.answer):
        return Filled(reading)
    answer: dict[str, Any] = dict(reading.answer)
    derived, estimated = dict(reading.derived), dict(reading.estimated)
    lacks: list[str] = []
    shown: dict[str, Any] | None = None
    if "status" not in answer:
        _status(answer, derived, estimated)
    for name in ("xbzrle-cache", "compression"):
        if name in answer and not _counts_pages(answer[name]):
            del answer[name]
    ram = answer.get("ram")
    if isinstance(ram, Mapping):
        whole = dict(ram)
        _page_size(whole, reading.rounding, derived, estimated)
        _bandwidth(whole, answer, estimated)
        shown = dict(whole)
        for name in NEEDED:
            if name not in whole:
                lacks.append(f"ram.{name}")
                whole[name] = 0
        answer["ram"] = None if "ram.remaining" in lacks else whole
    reading = replace(reading, answer=answer, derived=derived, estimated=estimated)
    return Filled(reading, tuple(lacks), shown if "ram.remaining" in lacks else None)


def _is_whole(answer: Mapping[str, Any]) -> bool:
    """Whether nothing must be computed, as for QEMU's own answers since 2.10."""
    ram = answer.get("ram")
    return (
        isinstance(ram, dict)
        and "status" in answer
        and all(name in ram for name in NEEDED)
        and bool(ram["page-size"])
        and "xbzrle-cache" not in answer
        and "compression" not in answer
    )


def _counts_pages(part: Any) -> bool:
    """Whether it shows how many pages were sent in another encoding: see `trace.ram`."""
    return not isinstance(part, Mapping) or ("pages" in part and ("overflow" in part or "encoding-rate" not in part))


def _status(answer: dict[str, Any], derived: dict[str, str], estimated: dict[str, str]) -> None:
    """Derive the status: QEMU shows an expected downtime while a migration is active, and a downtime once the guest was
    stopped.

    Nothing is left of a migration that is over. So if RAM is left then, postcopy sends it, as it sends what the
    destination requests.
    """
    ram = answer.get("ram")
    figures = ram if isinstance(ram, Mapping) else {}
    if any(figures.get(name) for name in _OF_POSTCOPY) and figures.get("remaining", 1):
        answer["status"] = "postcopy-active"
        derived["status"] = "it is postcopy, because pages that postcopy sends are counted"
    elif "expected-downtime" in answer:
        answer["status"] = "active"
        derived["status"] = "it is active, because an expected downtime is shown"
    elif "downtime" in answer and figures.get("remaining"):
        answer["status"] = "postcopy-active"
        derived["status"] = "it is postcopy, because a downtime is shown and RAM is left"
    elif "downtime" in answer:
        answer["status"] = "completed"
        estimated["status"] = "completed, because a downtime is shown"
    else:
        answer["status"] = "active"
        estimated["status"] = "active"


def _page_size(
    ram: dict[str, Any], rounding: Mapping[str, Interval], derived: dict[str, str], estimated: dict[str, str]
) -> None:
    if ram.get("page-size"):
        return
    ram.pop("page-size", None)
    normal, size = ram.get("normal"), ram.get("normal-bytes")
    if isinstance(normal, int | float) and isinstance(size, int | float) and normal > 0:
        sizes = rounding.get("ram.normal-bytes", Interval(size, size))
        fitting = [page for page in _PAGE_SIZES if sizes.low <= normal * page <= sizes.high]
        if len(fitting) == 1:
            ram["page-size"] = fitting[0]
            derived["ram.page-size"] = "it is normal bytes ÷ normal pages"
            return
        if not fitting and size >= 1 << 20:
            page = min(_PAGE_SIZES, key=lambda one: abs(one - size / normal))
            if abs(size / normal / page - 1) < 0.01:
                ram["page-size"] = page
                derived["ram.page-size"] = "it is normal bytes ÷ normal pages"
                return
    ram["page-size"] = USUAL_PAGE_BYTES
    estimated["ram.page-size"] = "4 KiB, as on most targets"


def _bandwidth(ram: dict[str, Any], answer: Mapping[str, Any], estimated: dict[str, str]) -> None:
    """If no throughput is shown, use the mean since the migration began."""
    if "mbps" in ram:
        return
    transferred, total_ms = ram.get("transferred"), answer.get("total-time")
    if not isinstance(transferred, int | float) or not isinstance(total_ms, int | float) or total_ms <= 0:
        return
    mbps = transferred / total_ms / BYTES_PER_MS_PER_MBPS
    if mbps > GREATEST_MBPS:
        return
    ram["mbps"] = mbps
    estimated["ram.mbps"] = "transferred ÷ total time, the mean since the migration began"
