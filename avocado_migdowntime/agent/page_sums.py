# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands for a page of a guest's RAM where the page itself is on another host."""

import hashlib
import struct
from collections.abc import Iterator

PAGE_BYTES = 4096
SUM_BYTES = 8
_HEADER_BYTES = 24
"""Of a page: its index, its epoch and the seed (images/README.md)."""
PAGE_RECORD = struct.Struct(f"<Q{_HEADER_BYTES}s{SUM_BYTES}s")
"""A page that was looked for: its number in the file, its header, its sum."""


def page_sum(page: memoryview) -> bytes:
    """What stands for a page; two different ones have the same with a chance of 1 in 2^64."""
    return hashlib.sha256(page).digest()[:SUM_BYTES]


def sums(data: memoryview) -> Iterator[bytes]:
    """The sums of pages that lie one behind the other."""
    for at in range(0, len(data), PAGE_BYTES):
        yield page_sum(data[at : at + PAGE_BYTES])


def seeded(data: memoryview, number: int, seed: bytes) -> Iterator[bytes]:
    """A record of PAGE_RECORD for each page whose third word is `seed`; the first of the pages has this number."""
    for at in range(0, len(data), PAGE_BYTES):
        header = bytes(data[at : at + _HEADER_BYTES])
        if header[-len(seed) :] == seed:
            yield PAGE_RECORD.pack(number + at // PAGE_BYTES, header, page_sum(data[at : at + PAGE_BYTES]))
