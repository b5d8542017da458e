# SPDX-License-Identifier: GPL-2.0-or-later
"""The `ram` part of an answer to query-migrate, and the numbers in it."""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from ..errors import UsageError

LEEWAY = 1.01
"""A figure that was printed rounded may seem greater than another by this factor, and be the same."""
RAN_OVER = "QEMU reports more RAM left than there is, as a counter ran below 0: nothing is computed from that"
"""The note on a trace that has such samples."""
GREATEST = 2.0**64
"""Beyond any counter of QEMU: an infinite or a nonsensically long number is refused."""
_NUMBER = int | float


@dataclass(frozen=True, slots=True)
class Ram:
    """The `ram` part of a query-migrate answer.

    `sent_pages` counts every page that left `remaining_bytes`: normal and duplicate (zero) pages, and those sent
    by xbzrle or by the compression threads; `zero_pages`, among them, cost hardly any bandwidth. `counted_bytes` are
    those that QEMU counted for it all while the guest ran (precopy-bytes, since QEMU 7.0), `transferred_bytes` those
    that it counted for all that it sent.
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
        """Remaining and sent together: constant within a pass."""
        return self.remaining_bytes + self.page_bytes * self.sent_pages

    @property
    def wire_bytes_per_ms(self) -> float:
        """The bandwidth of the last window, bytes per millisecond."""
        return self.mbps * BYTES_PER_MS_PER_MBPS

    @property
    def dirty_bytes_per_ms(self) -> float:
        """QEMU's dirty-pages-rate as bytes per millisecond."""
        return self.dirty_pages_per_s * self.page_bytes / 1000


def ram_of(ram: Any, answer: Mapping[str, Any]) -> Ram:
    """The RAM figures of a whole `answer` to query-migrate whose part `ram` is.

    Raises UsageError naming the field where one is missing or of the wrong type.
    """
    if not isinstance(ram, Mapping):
        raise UsageError(f"'ram' is {reprlib.repr(ram)} where an object was expected")
    if not (page_bytes := number(ram, "page-size")):
        raise UsageError("'page-size' is 0 where that of the target was expected")
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
    """Whether more is reported left than there is, or less than nothing: a counter of 64 bits that ran below 0."""
    remaining, total = ram.get("remaining"), ram.get("total")
    if isinstance(remaining, bool) or not isinstance(remaining, _NUMBER) or not abs(remaining) <= GREATEST * 1024:
        return False
    if remaining < 0 or remaining >= GREATEST / 2:
        return True  # QMP prints it as a signed number, the monitor as an unsigned one
    return isinstance(total, _NUMBER) and 0 < total < (remaining - 1024) / LEEWAY


def number(fields: Mapping[str, Any], name: str) -> float:
    """The finite number, not below 0, that `fields` hold under `name`; raises UsageError otherwise."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or not 0 <= value <= GREATEST:
        problem = f"is {reprlib.repr(value)}" if name in fields else "is missing"
        raise UsageError(f"{name!r} {problem} where a number from 0 up was expected")
    return value


def optional_number(fields: Mapping[str, Any], name: str) -> float | None:
    """The same, or None where `fields` have no such name."""
    return number(fields, name) if name in fields else None


def _encoded_pages(answer: Mapping[str, Any]) -> float:
    """Pages sent by xbzrle or by the compression threads.

    Since QEMU 5.1, which brought `encoding-rate`, xbzrle counts each page that its cache held, also those that it
    then sent as normal ones, its `overflow` (migration/ram.c: save_xbzrle_page).
    """
    pages = 0.0
    for name in ("xbzrle-cache", "compression"):
        part = answer.get(name)
        if isinstance(part, Mapping):
            pages += number(part, "pages") - (number(part, "overflow") if "encoding-rate" in part else 0)
        elif part is not None:
            raise UsageError(f"{name!r} is {reprlib.repr(part)} where an object was expected")
    return pages
