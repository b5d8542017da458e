# SPDX-License-Identifier: GPL-2.0-or-later
"""Decodes usual answers to query-migrate by types, many at once, into the columns of a table.

Most answers are usual. Any other must be decoded by itself, which finds what is unusual in it, or what is wrong.
"""

from collections.abc import Sequence
from itertools import chain

import msgspec
import numpy as np

from ..basics.qemu_constants import GREATEST_MBPS
from .figures import COLUMNS, Column
from .ram import GREATEST, LEAST
from .samples import Floats

ABSENT = float("nan")
"""Stands for a missing figure; JSON has no such number."""


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
"""The rows of the fields of `PlainRam`, in order."""


class PlainDisk(msgspec.Struct, gc=False):
    """The part `disk` of an answer."""

    remaining: float = ABSENT


class PlainVfio(msgspec.Struct, gc=False):
    """The part `vfio` of an answer."""

    transferred: float = ABSENT


class PlainAnswer(msgspec.Struct, gc=False, rename="kebab"):
    """An answer without pages in another encoding (xbzrle or compression)."""

    status: str = "none"
    expected_downtime: float = ABSENT
    downtime: float = ABSENT
    remaining: float = ABSENT
    cpu_throttle_percentage: float = ABSENT
    ram: PlainRam | None = None
    disk: PlainDisk | None = None
    vfio: PlainVfio | None = None
    xbzrle_cache: None = None
    compression: None = None


class Unusual(Exception):
    """One of the answers must be decoded by itself."""


_NO_RAM = PlainRam(*[ABSENT] * len(PlainRam.__struct_fields__))
_NO_DISK, _NO_VFIO = PlainDisk(), PlainVfio()
_MORE = 1024
"""A counter may exceed another by this little without needing a closer look."""


def table_of(
    answers: Sequence[PlainAnswer],
    t_s: list[float],
    latency_ms: list[float],
    numbers: tuple[list[float], list[float]],
) -> Floats:
    """The table of `answers`, taken at these times; `numbers` stand for their statuses and causes.

    Raises Unusual if a figure is no possible value of a counter, or needs a closer look.
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
        Column.VFIO: [(answer.vfio or _NO_VFIO).transferred for answer in answers],
        Column.THROTTLE: [answer.cpu_throttle_percentage for answer in answers],
    }
    table = np.zeros((COLUMNS, len(answers)))
    for row, figures in columns.items():
        # Lists compare by identity first, so NaN is found, and fast.
        is_absent = figures[:1] == [ABSENT] and figures.count(ABSENT) == len(figures)
        table[row] = ABSENT if is_absent else figures
    fields = chain.from_iterable(map(msgspec.structs.astuple, rams))
    of_rams = np.fromiter(fields, float, len(rams) * len(_OF_RAM)).reshape(-1, len(_OF_RAM))
    table[_OF_RAM] = of_rams.T
    # Values that are no numbers from 0 up are left to the decoder of single lines, which names the line. Comparing NaN
    # gives False.
    if np.any(table < 0) or np.any(table > GREATEST) or np.any((table > 0) & (table < LEAST)):
        raise Unusual
    if np.any(table[Column.PAGE] < 1):
        raise Unusual
    if np.any(table[Column.REMAINING] > np.fmin(table[Column.TOTAL], GREATEST / 2) + _MORE):
        raise Unusual
    if np.any(table[Column.MBPS] > GREATEST_MBPS):
        raise Unusual
    table[Column.SENT] += table[Column.ZERO]
    table[Column.REMAINING : Column.MBPS] = np.trunc(table[Column.REMAINING : Column.MBPS])
    table[Column.COUNTED :] = np.trunc(table[Column.COUNTED :])
    return table
