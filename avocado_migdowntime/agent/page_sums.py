# SPDX-License-Identifier: GPL-2.0-or-later
"""Checksums that stand for pages of a guest's RAM on another host."""

import hashlib
import struct
from collections.abc import Iterator

PAGE_BYTES = 4096
SUM_BYTES = 8
_HEADER_BYTES = 24
"""The header of a page: its index, its epoch and the seed (images/README.md)."""
PAGE_RECORD = struct.Struct(f"<Q{_HEADER_BYTES}s{SUM_BYTES}s")
"""A page that was searched for: its number in the file, its header, its checksum."""


def page_sum(page: memoryview) -> bytes:
    """The checksum of a page; two different pages have the same with a probability of 1 in 2^64."""
    return hashlib.sha256(page).digest()[:SUM_BYTES]


def sums(data: memoryview) -> Iterator[bytes]:
    """The checksums of consecutive pages."""
    for at in range(0, len(data), PAGE_BYTES):
        yield page_sum(data[at : at + PAGE_BYTES])


def seeded(data: memoryview, number: int, seed: bytes) -> Iterator[bytes]:
    """A record of PAGE_RECORD for each page whose third word is `seed`; the first of the pages has this number."""
    for at in range(0, len(data), PAGE_BYTES):
        header = bytes(data[at : at + _HEADER_BYTES])
        if header[-len(seed) :] == seed:
            yield PAGE_RECORD.pack(number + at // PAGE_BYTES, header, page_sum(data[at : at + PAGE_BYTES]))
