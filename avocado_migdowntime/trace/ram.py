# SPDX-License-Identifier: GPL-2.0-or-later
"""The `ram` part of an answer to query-migrate, and checked access to its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..basics.printable import quoted
from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS, GREATEST_MBPS
from ..errors import UsageError

LEEWAY = 1.01
"""Two equal figures may differ by up to this factor when one was printed rounded."""
RAN_OVER = "QEMU's RAM figures are not used where a counter ran below 0 and shows more left than there is"
"""The note on a trace that has such samples."""
TOO_FAST = "QEMU's RAM figures are not used where it shows a throughput that no link carries"
"""The same where `mbps` is above GREATEST_MBPS."""
GREATEST = 2.0**64
"""Beyond any counter of QEMU: infinite or absurdly large numbers are refused."""
LEAST = 1 / GREATEST
"""Smaller figures than any of QEMU but 0 are refused: what is divided by them would be infinite."""
WHOLE_BELOW = 2.0**53
"""A float holds each whole number below it (IEEE 754, binary64)."""
STALLED_S = 10.0
"""A migration that was seen to send nothing for this long counts as sending nothing."""
_NUMBER = int | float


@dataclass(frozen=True, slots=True)
class Ram:
    """The `ram` part of a query-migrate answer.

    `sent_pages` counts every page that left `remaining_bytes`: normal and duplicate (zero) pages, and those sent by
    xbzrle or by the compression threads. `zero_pages` are part of them and cost hardly any bandwidth. `counted_bytes`
    are the bytes that QEMU counted for all of these while the guest ran (precopy-bytes, since QEMU 7.0);
    `transferred_bytes` are those that it counted for everything it sent.
    """

    remaining_bytes: int
    page_bytes: int
    sent_pages: int
    zero_pages: int
    dirty_sync_count: int
    dirty_pages_per_s: int
    mbps: float
    counted_bytes: int | None = None
    transferred_bytes: int | None = None

    @property
    def conserved_bytes(self) -> int:
        """Remaining plus sent bytes: constant within a pass."""
        return self.remaining_bytes + self.page_bytes * self.sent_pages

    @property
    def wire_bytes_per_ms(self) -> float:
        """The bandwidth of QEMU's last window, in bytes per millisecond."""
        return self.mbps * BYTES_PER_MS_PER_MBPS

    @property
    def dirty_bytes_per_ms(self) -> float:
        """QEMU's dirty-pages-rate in bytes per millisecond."""
        return self.dirty_pages_per_s * self.page_bytes / 1000


def ram_of(ram: Any, answer: Mapping[str, Any]) -> Ram:
    """The RAM figures in the part `ram` of a whole `answer` to query-migrate.

    Raises UsageError, naming the field, if one is missing or of the wrong type.
    """
    if not isinstance(ram, Mapping):
        raise UsageError(f"'ram' is {quoted(ram)} where an object was expected")
    if (page_bytes := number(ram, "page-size")) < 1:
        raise UsageError(f"'page-size' is {page_bytes:g} where that of the target was expected")
    counted, transferred = optional_number(ram, "precopy-bytes"), optional_number(ram, "transferred")
    sent_pages = number(ram, "normal") + number(ram, "duplicate") + _encoded_pages(answer)
    return Ram(
        remaining_bytes=int(number(ram, "remaining")),
        page_bytes=int(page_bytes),
        sent_pages=int(sent_pages),
        zero_pages=int(number(ram, "duplicate")),
        dirty_sync_count=int(number(ram, "dirty-sync-count")),
        dirty_pages_per_s=int(number(ram, "dirty-pages-rate")),
        mbps=number(ram, "mbps"),
        counted_bytes=None if counted is None else int(counted),
        transferred_bytes=None if transferred is None else int(transferred),
    )


def ran_over(ram: Mapping[str, Any]) -> bool:
    """Whether more is reported left than there is, or a negative amount: a 64-bit counter that ran below 0."""
    remaining, total = ram.get("remaining"), ram.get("total")
    if isinstance(remaining, bool) or not isinstance(remaining, _NUMBER) or not abs(remaining) <= GREATEST * 1024:
        return False
    if remaining < 0 or remaining >= GREATEST / 2:
        return True  # QMP prints it as a signed number, the monitor as an unsigned one
    return isinstance(total, _NUMBER) and 0 < total < (remaining - 1024) / LEEWAY


def too_fast(ram: Mapping[str, Any]) -> bool:
    """Whether the throughput is one that no link carries."""
    mbps = ram.get("mbps")
    return isinstance(mbps, _NUMBER) and not isinstance(mbps, bool) and GREATEST_MBPS < mbps <= GREATEST


def note_on(ram: Any) -> str:
    """Why these figures are not used; '' if they are."""
    if not isinstance(ram, Mapping):
        return ""
    return RAN_OVER if ran_over(ram) else TOO_FAST if too_fast(ram) else ""


def number(fields: Mapping[str, Any], name: str) -> float:
    """The number, 0 or from LEAST to GREATEST, that `fields` have under `name`; raises UsageError otherwise."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or not (value == 0 or LEAST <= value <= GREATEST):
        problem = f"is {quoted(value)}" if name in fields else "is missing"
        expected = "a number from 0 up"
        if isinstance(value, _NUMBER) and value > GREATEST:
            expected = f"a number up to {GREATEST:.2g}"
        elif isinstance(value, _NUMBER) and 0 < value < LEAST:
            expected = f"0 or a number from {LEAST:.2g} up"
        raise UsageError(f"{name!r} {problem} where {expected} was expected")
    return value


def optional_number(fields: Mapping[str, Any], name: str) -> float | None:
    """The same, or None if `fields` have no such name."""
    return number(fields, name) if name in fields else None


def _encoded_pages(answer: Mapping[str, Any]) -> float:
    """Pages sent by xbzrle or by the compression threads.

    Since QEMU 5.1, which introduced `encoding-rate`, xbzrle counts each page that its cache held, even those
    (`overflow`) that it then sent as normal pages (migration/ram.c: save_xbzrle_page).
    """
    pages = 0.0
    for name in ("xbzrle-cache", "compression"):
        part = answer.get(name)
        if isinstance(part, Mapping):
            pages += number(part, "pages") - (number(part, "overflow") if "encoding-rate" in part else 0)
        elif part is not None:
            raise UsageError(f"{name!r} is {quoted(part)} where an object was expected")
    return pages
