# SPDX-License-Identifier: GPL-2.0-or-later
"""The host pages that a pass may send besides those that the guest itself dirties.

QEMU counts them, as it ends a round after each 64 (see hugepages.py). The first pass is of all RAM, so the second sends
what it left, and what firmware had written meanwhile. That of x86_64 asks for 34 pages of ACPI tables, which QEMU keeps
outside the RAM that is on hugepages: each of them is a host page of its own, as are those of its ROMs. What that pass
leaves goes out in the next one.

How much there is beside RAM is known: K of the first pass is all that is migrated. It is sent in the order of its
place, the largest block first, and the next pass goes on from there. So what the first pass left is the end of all, and
goes out first in the second.
"""

from dataclasses import dataclass, replace
from math import inf

from .passes import Pass

_OF_FIRMWARE = 40
"""Firmware that starts this package's guests writes to no more pages outside RAM: 34, on pc and q35."""


@dataclass(frozen=True)
class Others:
    """No more than `most` are sent in pass `number`; of any other pass nothing is known.

    `ram_bytes` of the guest are on host pages of `host_page_bytes`; each is 0 where it is not known. The first pass
    left at most `of_first_pages`; firmware wrote to no more than `of_firmware` pages outside RAM.
    """

    host_page_bytes: float = 0
    ram_bytes: float = 0
    number: int = 0
    most: float = inf
    of_first_pages: float = inf
    of_firmware: float = _OF_FIRMWARE

    def in_pass(self, one: Pass) -> float:
        """No more of them are sent in this pass."""
        return self.most if one.number == self.number else inf

    def after(self, ended: Pass, most_bytes: float) -> "Others":
        """What is known of the pass after one that left at most `most_bytes`."""
        pages = most_bytes / ended.last.page_bytes
        if ended.number == 1:
            beside = self._beside_pages(ended)
            of_ram = most_bytes / self.host_page_bytes + 2 if pages and self.host_page_bytes else 0
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
        """The pages outside RAM."""
        if not self.ram_bytes:
            return inf
        return max(0.0, float(first.samples.conserved_bytes.max()) - self.ram_bytes) / first.first.page_bytes


NOTHING_KNOWN = Others()
"""Of a guest of which nothing is told."""
