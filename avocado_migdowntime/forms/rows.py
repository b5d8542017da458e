# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of a trace that the items of a text become."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..trace.samples import Floats
from .filling import Filled
from .many import Many


@dataclass(frozen=True)
class SampleRow:
    """An answer to query-migrate at `t_s` on the migration's clock; its figures are at most `latency_ms` later."""

    t_s: float
    latency_ms: float
    filled: Filled


@dataclass(frozen=True)
class SampleRows:
    """Many of these, each with its `t_s`."""

    t_s: Floats
    latency_ms: float
    many: Many


@dataclass(frozen=True)
class EventRow:
    """A QMP event, or the harness's note of a limit that somebody set."""

    t_s: float
    side: str
    message: Mapping[str, Any]


@dataclass(frozen=True)
class Begins:
    """The start of another migration of the same guest: no earlier row belongs to it."""


Row = SampleRow | EventRow | Begins
