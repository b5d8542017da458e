# SPDX-License-Identifier: GPL-2.0-or-later
"""Which page the guest has written when: the orders in images/README.md, computed for a whole sweep at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from .telemetry import PAGE_BYTES, Telemetry

Words = np.ndarray[Any, np.dtype[np.uint64]]
"""Unsigned 64-bit words; arithmetic is modulo 2^64, as in the guest."""
_FACTOR_1, _FACTOR_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHUFFLES = 3


def mix(value: Words) -> Words:
    """The guest's mixing function of 64-bit words."""
    value = (value ^ value >> np.uint64(30)) * _FACTOR_1
    value = (value ^ value >> np.uint64(27)) * _FACTOR_2
    return value ^ value >> np.uint64(31)


@dataclass(frozen=True)
class ExpectedPages:
    """What each page of the region must contain.

    `epochs` has the epoch of each page, 0 if it was not written. `under_way` are the pages that may be half written,
    one in each vCPU's share, with their new epoch.
    """

    epochs: Words
    under_way: Mapping[int, int]


def expected_pages(telemetry: Telemetry) -> ExpectedPages:
    """What the pages must contain after the writes that each vCPU has counted in its share."""
    shares = [_expected(share) for share in telemetry.shares]
    begins = accumulate((len(share.epochs) for share in shares), initial=0)
    under_way = {
        begin + page: epoch
        for begin, share in zip(begins, shares, strict=False)
        for page, epoch in share.under_way.items()
    }
    return ExpectedPages(np.concatenate([share.epochs for share in shares]), under_way)


def _expected(telemetry: Telemetry) -> ExpectedPages:
    pages = telemetry.pages
    complete, pages_in_sweep = divmod(telemetry.pages_written, pages)
    epochs = np.zeros(pages, dtype=np.uint64)
    if pages_in_sweep:
        epochs[_sweep(telemetry, complete + 1)[:pages_in_sweep]] = complete + 1
    epoch = complete
    while epoch and not epochs.all():
        order = _sweep(telemetry, epoch)
        epochs[order[epochs[order] == 0]] = epoch
        epoch -= 1
    under_way = {} if telemetry.finished else {int(_sweep(telemetry, complete + 1)[pages_in_sweep]): complete + 1}
    return ExpectedPages(epochs, under_way)


def _sweep(telemetry: Telemetry, epoch: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The indices of the pages in the order in which the sweep of this epoch writes them."""
    per_granule = telemetry.granule_bytes // PAGE_BYTES
    granules = telemetry.pages // per_granule
    if telemetry.pattern == "random":
        order = _random(granules, telemetry.seed, epoch)
    elif telemetry.pattern == "hot-cold" and epoch > 1:
        order = _hot_cold(granules, telemetry, epoch)
    else:
        order = np.arange(granules, dtype=np.int64)
    return (order[:, None] * per_granule + np.arange(per_granule)).reshape(-1)


def _key(seed: int, epoch: int) -> Words:
    return mix(mix(np.array([seed], dtype=np.uint64)) + np.uint64(epoch))


def _random(granules: int, seed: int, epoch: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    bits = (granules - 1).bit_length()
    mask, shift = np.uint64((1 << bits) - 1), np.uint64(bits // 2 + 1)
    key = _key(seed, epoch)
    value = np.arange(1 << bits, dtype=np.uint64)
    for _ in range(_SHUFFLES):
        value = (value + key) * _FACTOR_1 & mask
        value ^= value >> shift
        key = key >> np.uint64(21) | key << np.uint64(43)
    return value[value < granules].astype(np.int64)


def _hot_cold(granules: int, telemetry: Telemetry, epoch: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    hot = np.uint64(granules * telemetry.hot_percent // 100)
    positions: Words = np.arange(granules, dtype=np.uint64)
    lot = mix(_key(telemetry.seed, epoch) + positions)
    which = mix(lot)
    cold = hot + which % (np.uint64(granules) - hot)
    return np.where(lot % np.uint64(100) < telemetry.share_percent, which % hot, cold).astype(np.int64)
