# SPDX-License-Identifier: GPL-2.0-or-later
"""Is every page of the dirtied region what the guest wrote last? Page layout: images/README.md."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from ..agent.page_sums import PAGE_RECORD, sums
from ..verdict.downtime import Integrity
from .telemetry import PAGE_BYTES, Telemetry
from .write_order import Words, expected_pages, mix

PAGE_WORDS = PAGE_BYTES // 8
_HEADER_WORDS = 4
_STEP, _EPOCH_STEP = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
_STEPS = np.arange(PAGE_WORDS - _HEADER_WORDS, dtype=np.uint64) * _STEP
_EPOCH_WRITTEN = 2
"""Once this many words of a page are written, its second word shows that they belong to another epoch."""
_CACHED_PAGES = 256
"""A MiB at a time stays in the CPU cache."""
_NAMED_FAULTS = 20

PageIndices = np.ndarray[Any, np.dtype[np.int64]]


class Inspection:
    """Compares pages with what the guest reports to have written; the guest must not run meanwhile.

    inspection = Inspection(telemetry)
    inspection.see(indices, rows)  # until all of the region was seen
    inspection.finding()
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._expected = expected_pages(telemetry)
        self._intact = self._expected.epochs == 0  # A page that was never written may contain anything.
        self._is_there = np.zeros(len(self._intact), dtype=bool)
        self._damage_of: dict[int, str] = {}
        self._half_sent: set[int] = set()

    def see(self, indices: PageIndices, rows: Words) -> None:
        """Take rows of 512 words, as they are in RAM, for the pages of these indices.

        A page may be passed several times, as candidates: it is right if one of them is.
        """
        for start in range(0, len(indices), _CACHED_PAGES):
            self._see(indices[start : start + _CACHED_PAGES], rows[start : start + _CACHED_PAGES])

    def see_anywhere(self, rows: Words) -> None:
        """Take rows from anywhere in RAM; only those that claim to be pages of the region are examined."""
        header = _in_guest_order(np.ascontiguousarray(rows[:, :3]), self._telemetry)
        of_region = (header[:, 0] < self._telemetry.pages) & (header[:, 2] == self._telemetry.seed)
        self.see(header[of_region, 0].astype(np.int64), rows[of_region])

    def see_sums(self, indices: PageIndices, its_sums: bytes) -> list[int]:
        """Take the checksums of the pages of these indices (agent/page_sums.py), concatenated.

        Returns the pages that must be passed in full, in this order: pages that may be half written, and the first of
        those that differ.
        """
        expected = b"".join(self._sums(indices))
        right = np.frombuffer(expected, dtype=np.uint64) == np.frombuffer(its_sums, dtype=np.uint64)
        self._intact[indices[right]] = True
        self._is_there[indices] = True
        wrong = [index for index in indices.tolist() if not self._intact[index]]
        firsts = [index for index in wrong if index == indices[0] or self._intact[index - 1]]
        half_written = [index for index in wrong if index in self._expected.under_way]
        return [*half_written, *(index for index in firsts[:_NAMED_FAULTS] if index not in half_written)]

    def see_found(self, records: bytes) -> list[int]:
        """Take records of pages (agent/page_sums.py: PAGE_RECORD); return the numbers of those that must be passed in
        full.
        """
        wanted: list[int] = []
        for number, header, its_sum in PAGE_RECORD.iter_unpack(records):
            index = int(_in_guest_order(np.frombuffer(header, dtype=np.uint64), self._telemetry)[0])
            if index < self._telemetry.pages and not self._intact[index]:
                self._is_there[index] = True
                self._intact[index] = next(self._sums(np.array([index]))) == its_sum
                if not self._intact[index] and (len(wanted) < _NAMED_FAULTS or index in self._expected.under_way):
                    wanted.append(number)
        return wanted

    @property
    def seed(self) -> bytes:
        """The third word of each page of the region, as it is in RAM."""
        word = np.array([self._telemetry.seed], dtype=np.uint64)
        return _in_guest_order(word, self._telemetry).tobytes()

    def _sums(self, indices: PageIndices) -> Iterator[bytes]:
        for start in range(0, len(indices), _CACHED_PAGES):
            some = indices[start : start + _CACHED_PAGES]
            rows = _content(some, self._expected.epochs[some], self._telemetry)
            yield from sums(memoryview(rows.tobytes()))

    def finding(self) -> Integrity:
        """The result, once everything was seen."""
        damaged = np.flatnonzero(~self._intact).tolist()
        half_sent = len(self._half_sent.intersection(damaged))
        return Integrity(self._telemetry.pages, len(damaged), tuple(self._faults(damaged)), half_sent)

    def _see(self, indices: PageIndices, rows: Words) -> None:
        telemetry, epochs = self._telemetry, self._expected.epochs[indices]
        intact = (rows == _content(indices, epochs, telemetry)).all(axis=1)
        self._intact[indices[intact]] = True
        for index, row in zip(indices[~intact].tolist(), rows[~intact], strict=True):
            if self._intact[index]:
                continue
            if index in self._expected.under_way and self._half_written(row, index):
                self._intact[index] = True
            elif len(self._damage_of) < _NAMED_FAULTS or index - 1 not in self._damage_of:
                epoch = int(self._expected.epochs[index])
                self._damage_of[index] = _damage(row, index, epoch, telemetry)
                if _is_half_sent(row, index, epoch, telemetry):
                    self._half_sent.add(index)
            else:
                self._damage_of.setdefault(index, "is not what the guest wrote last")

    def _half_written(self, row: Words, index: int) -> bool:
        """Whether each word belongs to the write in progress, or to the one before."""
        old = _page(index, int(self._expected.epochs[index]), self._telemetry)
        return bool(((row == _page(index, self._expected.under_way[index], self._telemetry)) | (row == old)).all())

    def _faults(self, damaged: list[int]) -> Iterator[str]:
        """Sentences about damaged pages; neighbours are joined by what the first of them shows."""
        runs = groupby(enumerate(damaged), key=lambda item: item[1] - item[0])
        for _, (_, run) in zip(range(_NAMED_FAULTS), runs, strict=False):
            pages = [page for _, page in run]
            unnamed = "is not what the guest wrote last" if self._is_there[pages[0]] else "is nowhere in the RAM"
            damage = self._damage_of.get(pages[0], unnamed)
            start = self._telemetry.region_start
            place = f" (at {start + pages[0] * PAGE_BYTES:#x})" if start else ""
            if len(pages) == 1:
                yield f"page {pages[0]}{place} {damage}"
            else:
                yield f"pages {pages[0]} to {pages[-1]}: the first{place} {damage}"


def _content(indices: PageIndices, epochs: Words, telemetry: Telemetry) -> Words:
    """The pages' content after they were written in these epochs, a row each, in the guest's byte order."""
    index, seed = indices.astype(np.uint64), np.uint64(telemetry.seed)
    value = mix(index * _STEP + epochs * _EPOCH_STEP + seed)
    rows = np.empty((len(index), PAGE_WORDS), dtype=np.uint64)
    rows[:, 0], rows[:, 1], rows[:, 2] = index, epochs, seed
    rows[:, 3] = index + epochs + seed + value * np.uint64(len(_STEPS)) + _STEPS.sum(dtype=np.uint64)
    np.add(value[:, None], _STEPS, out=rows[:, _HEADER_WORDS:])
    return _in_guest_order(rows, telemetry)


def _page(index: int, epoch: int, telemetry: Telemetry) -> Words:
    row: Words = _content(np.array([index]), np.array([epoch], dtype=np.uint64), telemetry)[0]
    return row


def _in_guest_order(words: Words, telemetry: Telemetry) -> Words:
    return words if np.little_endian == (telemetry.byte_order == "<") else words.byteswap()


def _is_half_sent(row: Words, index: int, epoch: int, telemetry: Telemetry) -> bool:
    """Whether it begins with the guest's last write, and continues with the write before."""
    matches = row == _page(index, epoch, telemetry)
    begin = int(np.argmin(matches))
    before = _page(index, epoch - 1, telemetry)
    return begin >= _EPOCH_WRITTEN and bool((row[begin:] == before[begin:]).all())


def _damage(row: Words, index: int, epoch: int, telemetry: Telemetry) -> str:
    """What is wrong with a page, in words."""
    if not row.any():
        return "is lost: it is empty"
    its_index, its_epoch = (int(word) for word in _in_guest_order(row[:2], telemetry))
    if its_index < telemetry.pages and (row == _page(its_index, its_epoch, telemetry)).all():
        if its_index != index:
            return f"is lost: page {its_index} stands in its place"
        age = "old" if its_epoch < epoch else "ahead of what the guest has counted"
        return f"is {age}: of epoch {its_epoch}, where {epoch} was written last"
    torn = np.flatnonzero(row != _page(index, epoch, telemetry))
    return f"is torn: {len(torn)} of its {PAGE_WORDS} words, from byte {torn[0] * 8} on, are not those of epoch {epoch}"
