# SPDX-License-Identifier: GPL-2.0-or-later
"""What a text tells of a migration, item by item, in QMP's spelling: what a reader of any form makes of it.

Fields of an answer to query-migrate are named as QMP spells them, those of a part with the part's name and a point
before it: `status`, `ram.remaining`, `disk.remaining`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..basics.interval import Interval

_COUNTED = frozenset({"ram.page-size", "ram.normal", "ram.duplicate", "ram.dirty-sync-count", "ram.remaining"})


def is_without_passes(lacks: Iterable[str]) -> bool:
    """Whether passes cannot be told, nor what they sent, where all this is lacking."""
    return not _COUNTED.isdisjoint(lacks)


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a line says that it was written: seconds since an epoch, the same one for the whole text.

    It was written between `t_s` and `t_s + tick_s`. The same stamp comes again after `period_s`, where that is not 0: a
    year where a log writes none, a day where it writes no date. In a recording it counts `from_begin` of the migration.
    """

    t_s: float
    tick_s: float = 0.0
    period_s: float = 0.0
    from_begin: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What query-migrate would have answered, as far as a text shows that.

    `answer` has the fields that are shown, and those that are worked out of them. `rounding` says between what values a
    shown figure lies that was printed rounded; `derived` and `estimated` say how a figure was worked out that is not
    shown: exactly, or not. `of` tells guests apart whose migrations are in one text. `arrived_s` is when it was
    read, where that is known.
    """

    answer: Mapping[str, Any]
    stamp: Stamp | None = None
    rounding: Mapping[str, Interval] = field(default_factory=dict)
    derived: Mapping[str, str] = field(default_factory=dict)
    estimated: Mapping[str, str] = field(default_factory=dict)
    of: str = ""
    arrived_s: float | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """An asynchronous QMP message, such as STOP; or what the text tells of one, in its form."""

    message: Mapping[str, Any]
    stamp: Stamp | None = None
    side: str = "source"
    of: str = ""
    arrived_s: float | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """Migrate parameters, in QMP's names and units: as they were found, or as somebody set them then (`changed`).

    `capabilities` are those that are told to be switched on, None where nothing is told of any.
    """

    parameters: Mapping[str, Any]
    stamp: Stamp | None = None
    changed: bool = False
    capabilities: tuple[str, ...] | None = None
    of: str = ""
    arrived_s: float | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """QEMU's answer to query-version, or the part of a greeting that is the same."""

    qemu: Mapping[str, Any]
    of: str = ""
    arrived_s: float | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that whoever reads the judgement should know; a sentence."""

    text: str
    of: str = ""
    arrived_s: float | None = None


Item = Reading | Happening | Setting | Version | Remark
