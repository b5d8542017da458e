# SPDX-License-Identifier: GPL-2.0-or-later
"""Is every page of the dirtied region what the guest wrote last? Page layout: images/README.md."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from ..verdict.downtime import Integrity
from .telemetry import PAGE_BYTES, Telemetry
from .write_order import Words, mix, written

PAGE_WORDS = PAGE_BYTES // 8
_HEADER_WORDS = 4
_STEP, _EPOCH_STEP = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
_STEPS = np.arange(PAGE_WORDS - _HEADER_WORDS, dtype=np.uint64) * _STEP
_CACHED_PAGES = 256
"""A MiB at a time stays in a processor's cache."""
_NAMED_FAULTS = 20

Indices = np.ndarray[Any, np.dtype[np.int64]]


class Inspection:
    """Compares pages with what the guest has told it wrote; it must not run meanwhile.

    inspection = Inspection(told)
    inspection.see(indices, rows)  # until all of the region was seen
    inspection.finding()
    """

    def __init__(self, told: Telemetry) -> None:
        self._told = told
        self._must = written(told)
        self._right = self._must.epochs == 0  # What was never written may hold anything.
        self._seen: dict[int, str] = {}

    def see(self, indices: Indices, rows: Words) -> None:
        """Take rows of 512 words, as they lie in RAM, for the pages of these indices.

        A page may be seen more than once, as candidates: it is right if one of them is.
        """
        for start in range(0, len(indices), _CACHED_PAGES):
            self._see(indices[start : start + _CACHED_PAGES], rows[start : start + _CACHED_PAGES])

    def see_anywhere(self, rows: Words) -> None:
        """Take rows from anywhere in RAM: those that call themselves pages of the region are looked at."""
        header = _in_guest_order(np.ascontiguousarray(rows[:, :3]), self._told)
        of_region = (header[:, 0] < self._told.pages) & (header[:, 2] == self._told.seed)
        self.see(header[of_region, 0].astype(np.int64), rows[of_region])

    def finding(self) -> Integrity:
        """What was found, once everything was seen."""
        damaged = np.flatnonzero(~self._right).tolist()
        return Integrity(self._told.pages, len(damaged), tuple(self._faults(damaged)))

    def _see(self, indices: Indices, rows: Words) -> None:
        told, epochs = self._told, self._must.epochs[indices]
        right = (rows == _content(indices, epochs, told)).all(axis=1)
        self._right[indices[right]] = True
        for index, row in zip(indices[~right].tolist(), rows[~right], strict=True):
            if self._right[index]:
                continue
            if index == self._must.next_page and self._half_written(row, index):
                self._right[index] = True
            elif len(self._seen) < _NAMED_FAULTS or index - 1 not in self._seen:
                self._seen[index] = _damage(row, index, int(self._must.epochs[index]), told)

    def _half_written(self, row: Words, index: int) -> bool:
        """Whether each word is of the write that was under way, or of the one before."""
        before = int(self._must.epochs[index])
        old = _page(index, before, self._told) if before else np.zeros_like(row)
        return bool(((row == _page(index, self._must.next_epoch, self._told)) | (row == old)).all())

    def _faults(self, damaged: list[int]) -> Iterator[str]:
        """Neighbouring pages together, by what is seen in the first of them."""
        runs = groupby(enumerate(damaged), key=lambda item: item[1] - item[0])
        for _, (_, run) in zip(range(_NAMED_FAULTS), runs, strict=False):
            pages = [page for _, page in run]
            seen = self._seen.get(pages[0], "is nowhere in the RAM")
            place = f" (at {self._told.region_start + pages[0] * PAGE_BYTES:#x})" if self._told.region_start else ""
            if len(pages) == 1:
                yield f"page {pages[0]}{place} {seen}"
            else:
                yield f"pages {pages[0]} to {pages[-1]}: the first{place} {seen}"


def _content(indices: Indices, epochs: Words, told: Telemetry) -> Words:
    """What the pages hold after they were written in these epochs, a row each, in the guest's byte order."""
    index, seed = indices.astype(np.uint64), np.uint64(told.seed)
    value = mix(index * _STEP + epochs * _EPOCH_STEP + seed)
    right = np.empty((len(index), PAGE_WORDS), dtype=np.uint64)
    right[:, 0], right[:, 1], right[:, 2] = index, epochs, seed
    right[:, 3] = index + epochs + seed + value * np.uint64(len(_STEPS)) + _STEPS.sum(dtype=np.uint64)
    np.add(value[:, None], _STEPS, out=right[:, _HEADER_WORDS:])
    return _in_guest_order(right, told)


def _page(index: int, epoch: int, told: Telemetry) -> Words:
    row: Words = _content(np.array([index]), np.array([epoch], dtype=np.uint64), told)[0]
    return row


def _in_guest_order(words: Words, told: Telemetry) -> Words:
    return words if np.little_endian == (told.byte_order == "<") else words.byteswap()


def _damage(row: Words, index: int, epoch: int, told: Telemetry) -> str:
    """What is wrong with a page, in words."""
    if not row.any():
        return "is lost: it is empty"
    its_index, its_epoch = (int(word) for word in _in_guest_order(row[:2], told))
    if its_index < told.pages and (row == _page(its_index, its_epoch, told)).all():
        if its_index != index:
            return f"is lost: page {its_index} stands in its place"
        age = "old" if its_epoch < epoch else "ahead of what the guest has counted"
        return f"is {age}: of epoch {its_epoch}, where {epoch} was written last"
    wrong = np.flatnonzero(row != _page(index, epoch, told))
    return (
        f"is torn: {len(wrong)} of its {PAGE_WORDS} words, from byte {wrong[0] * 8} on, are not those of epoch {epoch}"
    )
