# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers to query-migrate in which nothing is unusual: decoded by types, many at once into the columns of a table.

Of these there are most. Any other is to be decoded by itself, which finds what is unusual in it, and what is wrong.
"""

from collections.abc import Sequence
from itertools import chain

import msgspec
import numpy as np

from .figures import COLUMNS, Column
from .ram import GREATEST
from .samples import Floats

ABSENT = float("nan")
"""JSON has no such number."""


class PlainRam(msgspec.Struct, gc=False, rename="kebab"):
    """The part `ram` of an answer."""

    remaining: float
    page_size: float
    normal: float
    duplicate: float
    dirty_sync_count: float
    dirty_pages_rate: float
    mbps: float
    precopy_bytes: float = ABSENT
    transferred: float = ABSENT
    total: float = ABSENT


_OF_RAM = [
    Column.REMAINING,
    Column.PAGE,
    Column.SENT,
    Column.ZERO,
    Column.SYNCS,
    Column.DIRTY_RATE,
    Column.MBPS,
    Column.COUNTED,
    Column.TRANSFERRED,
    Column.TOTAL,
]
"""Where the fields of `PlainRam` go, in their order."""


class PlainDisk(msgspec.Struct, gc=False):
    """The part `disk` of an answer."""

    remaining: float = ABSENT


class PlainAnswer(msgspec.Struct, gc=False, rename="kebab"):
    """An answer of which no pages were sent in another encoding."""

    status: str = "none"
    expected_downtime: float = ABSENT
    downtime: float = ABSENT
    remaining: float = ABSENT
    cpu_throttle_percentage: float = ABSENT
    ram: PlainRam | None = None
    disk: PlainDisk | None = None
    xbzrle_cache: None = None
    compression: None = None


class Unusual(Exception):
    """One of the answers has to be decoded by itself."""


_NO_RAM = PlainRam(*[ABSENT] * len(PlainRam.__struct_fields__))
_NO_DISK = PlainDisk()
_MORE = 1024
"""A counter may exceed another by so little that nobody has to look at it."""


def table_of(
    answers: Sequence[PlainAnswer],
    t_s: list[float],
    latency_ms: list[float],
    numbers: tuple[list[float], list[float]],
) -> Floats:
    """The table that `answers` make of which these are the times; `numbers` stand for their statuses and causes.

    Raises Unusual where a figure is none that a counter may be, or one that needs a closer look.
    """
    rams = [answer.ram or _NO_RAM for answer in answers]
    columns = {
        Column.T: t_s,
        Column.LATENCY: latency_ms,
        Column.STATUS: numbers[0],
        Column.ON: numbers[1],
        Column.EXPECTED: [answer.expected_downtime for answer in answers],
        Column.DOWNTIME: [answer.downtime for answer in answers],
        Column.PENDING: [answer.remaining for answer in answers],
        Column.DISK: [(answer.disk or _NO_DISK).remaining for answer in answers],
        Column.THROTTLE: [answer.cpu_throttle_percentage for answer in answers],
    }
    table = np.zeros((COLUMNS, len(answers)))
    for row, figures in columns.items():
        # Lists compare by identity first, so that NaN is found, and fast.
        is_absent = figures[:1] == [ABSENT] and figures.count(ABSENT) == len(figures)
        table[row] = ABSENT if is_absent else figures
    fields = chain.from_iterable(map(msgspec.structs.astuple, rams))
    of_rams = np.fromiter(fields, float, len(rams) * len(_OF_RAM)).reshape(-1, len(_OF_RAM))
    table[_OF_RAM] = of_rams.T
    # What is no number from 0 up is refused with the line that has it; comparing NaN gives False.
    if np.any(table < 0) or np.any(table > GREATEST) or np.any(table[Column.PAGE] == 0):
        raise Unusual
    if np.any(table[Column.REMAINING] > np.fmin(table[Column.TOTAL], GREATEST / 2) + _MORE):
        raise Unusual
    table[Column.SENT] += table[Column.ZERO]
    table[Column.REMAINING : Column.MBPS] = np.trunc(table[Column.REMAINING : Column.MBPS])
    table[Column.COUNTED :] = np.trunc(table[Column.COUNTED :])
    return table
