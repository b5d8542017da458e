# SPDX-License-Identifier: GPL-2.0-or-later
"""What a text shows before the first figures of a migration: which of it belongs to that migration."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..trace.reading import Happening, Setting
from .clock import begins_migration


def since_setup(queue: Sequence[Happening | Setting]) -> list[Happening | Setting]:
    """Of what happened before the first reading, what certainly belongs to its migration."""
    earlier, own = _parted_at_setup(queue)
    return [*own] or [one for one in earlier if str(one.message.get("event")).startswith("MIGRATION")]


def stop_before_it(queue: Sequence[Happening | Setting], *, is_over: bool) -> Happening | None:
    """The STOP after which the guest was still stopped when the migration began, as it is for `virsh save`.

    If the first reading shows that the migration `is_over`, and not that it was set up later, an event of QEMU's, which
    has a time, may be the switchover's.
    """
    earlier, own = _parted_at_setup(queue)
    last = next((one for one in reversed(earlier) if one.side == "source" and _starts_or_stops(one.message)), None)
    if last is None or last.message.get("event") != "STOP" or (is_over and not own and "timestamp" in last.message):
        return None
    return last


def _parted_at_setup(queue: Sequence[Happening | Setting]) -> tuple[list[Happening], list[Happening]]:
    """What happened before the last migration of the queue was set up, and since; the latter is empty if none was."""
    events = [one for one in queue if isinstance(one, Happening)]
    begin = next((n for n in reversed(range(len(events))) if begins_migration(events[n].message)), len(events))
    return events[:begin], events[begin:]


def _starts_or_stops(message: Mapping[str, Any]) -> bool:
    """Whether a guest starts or stops with this event, or another QEMU is its guest's from then on."""
    data = message.get("data")
    is_end = message.get("event") == "MIGRATION" and isinstance(data, Mapping) and data.get("status") == "completed"
    return is_end or message.get("event") in ("STOP", "RESUME", "SHUTDOWN")
