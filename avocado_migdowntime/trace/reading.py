# SPDX-License-Identifier: GPL-2.0-or-later
"""The items that a text has about a migration, in QMP's spelling: the output of the reader of any form.

Fields of an answer to query-migrate have QMP's names; those of a part have the part's name and a dot before it:
`status`, `ram.remaining`, `disk.remaining`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..basics.interval import Interval

_STOPPED_STATES = frozenset(("paused", "io-error", "guest-panicked", "internal-error", "watchdog"))
_COUNTED = frozenset({"ram.page-size", "ram.normal", "ram.duplicate", "ram.dirty-sync-count", "ram.remaining"})


def is_without_passes(lacks: Iterable[str]) -> bool:
    """Whether fields are lacking without which neither passes nor what they sent can be seen."""
    return not _COUNTED.isdisjoint(lacks)


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a line was written, according to itself: seconds since an epoch, the same one for the whole text.

    It was written between `t_s` and `t_s + tick_s`. The same stamp recurs after `period_s`, unless that is 0: a year
    for a log that writes no year, a day for one that writes no date. In a recording, `t_s` counts from the migration's
    begin (`from_begin`). `is_above`: it comes from a line above, such as the output of `date`, and is the time of what
    that was printed for: only the first figures below it.
    """

    t_s: float
    tick_s: float = 0.0
    period_s: float = 0.0
    from_begin: bool = False
    is_above: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What query-migrate would have answered, as far as a text shows.

    `answer` has the fields that are shown, and those computed from them. `rounding` has the interval of each figure
    that was printed rounded. `derived` and `estimated` say how a figure that is not shown was computed: exactly, or
    not. `of` tells apart guests whose migrations are in one text. `arrived_s` is when it was read, if known.
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
    """An asynchronous QMP message, such as STOP; or what the text shows of one, in its format."""

    message: Mapping[str, Any]
    stamp: Stamp | None = None
    side: str = "source"
    of: str = ""
    arrived_s: float | None = None

    @classmethod
    def of_state(cls, state: str, stamp: Stamp | None = None) -> "Happening | None":
        """What a guest's state according to QEMU's RunState shows: that it is stopped or runs; None for others.

        The other states are parts of a migration, or of a guest that has not begun or has ended.
        """
        event = "RESUME" if state == "running" else "STOP" if state in _STOPPED_STATES else None
        return None if event is None else cls({"event": event}, stamp)


@dataclass(frozen=True, slots=True)
class Setting:
    """Migrate parameters, in QMP's names and units: as found, or as somebody set them then (`changed`).

    `capabilities` are those that are shown, with whether they are on; None if none is.
    """

    parameters: Mapping[str, Any]
    stamp: Stamp | None = None
    changed: bool = False
    capabilities: Mapping[str, bool] | None = None
    of: str = ""
    arrived_s: float | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """QEMU's answer to query-version, or the same part of a QMP greeting."""

    qemu: Mapping[str, Any]
    of: str = ""
    arrived_s: float | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence that the reader of a verdict should know."""

    text: str
    of: str = ""
    arrived_s: float | None = None


Item = Reading | Happening | Setting | Version | Remark
