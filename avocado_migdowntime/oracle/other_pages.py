# SPDX-License-Identifier: GPL-2.0-or-later
"""Bounds of the host pages that a pass may send besides those that the guest itself dirties.

QEMU counts them too, and ends a round after every 64 host pages (see hugepages.py). The first pass covers all RAM, so
the second sends what the first left, and what firmware wrote meanwhile. The firmware of x86_64 requests 34 pages of
ACPI tables, which QEMU keeps outside the RAM that is on hugepages. Each of them is a host page of its own, and so are
the pages of its ROMs. What the second pass leaves is sent in the third.

The amount besides RAM is known: K of the first pass is all that is migrated. It is sent in order of its position, the
largest block first, and the next pass continues from there. So what the first pass left is at the end, and is sent
first in the second pass; if it is no more than there is besides RAM, none of it is RAM.
"""

from math import floor, inf

from msgspec import Struct
from msgspec.structs import replace

from .passes import Pass

_OF_FIRMWARE = 40
"""The firmware that starts this package's guests writes to at most this many pages outside RAM: 34, on pc and q35."""


class Others(Struct, frozen=True, gc=False):
    """At most `most` of them are sent in pass `number`; nothing is known of any other pass.

    The guest's `ram_bytes` lie on host pages of `host_page_bytes`; each is 0 if not known. The first pass left at most
    `of_first_pages`; firmware wrote to at most `of_firmware` pages outside RAM.
    """

    host_page_bytes: float = 0
    ram_bytes: float = 0
    number: int = 0
    most: float = inf
    of_first_pages: float = inf
    of_firmware: float = _OF_FIRMWARE

    def in_pass(self, one: Pass) -> float:
        """The most of them that are sent in this pass."""
        return self.most if one.number == self.number else inf

    def after(self, ended: Pass, most_bytes: float) -> "Others":
        """What is known about the pass after one that left at most `most_bytes`."""
        pages = floor(most_bytes / ended.last.page_bytes)
        if ended.number == 1:
            beside = self._beside_pages(ended)
            may_be_of_ram = pages > (beside if self.ram_bytes else 0)
            of_ram = most_bytes / self.host_page_bytes + 2 if self.host_page_bytes and may_be_of_ram else 0
            return replace(
                self,
                number=2,
                most=min(beside, _OF_FIRMWARE + min(pages, beside)) + of_ram,
                of_first_pages=pages,
                of_firmware=min(beside, _OF_FIRMWARE),
            )
        # Each page that was left may lie in a host page of its own.
        most = min(self.in_pass(ended), pages)
        if ended.number == 2 and ended.last.sent_pages - ended.first.sent_pages >= self.of_first_pages:
            most = min(most, self.of_firmware)
        return replace(self, number=ended.number + 1, most=most)

    def _beside_pages(self, first: Pass) -> float:
        """The number of pages outside RAM."""
        if not self.ram_bytes:
            return inf
        return max(0.0, float(first.samples.conserved_bytes.max()) - self.ram_bytes) / first.first.page_bytes


NOTHING_KNOWN = Others()
"""For a guest about which nothing is known."""
