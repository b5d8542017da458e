# SPDX-License-Identifier: GPL-2.0-or-later
"""Recognises readings that a text repeats, for example because it quotes an earlier post."""

from collections.abc import Mapping
from typing import Any

from ..trace.reading import Reading

_MOST = 1000
_NAMES = ("transferred", "remaining", "normal")
_Key = tuple[Any, ...]


class Repeats:
    """Takes the readings of one guest one by one."""

    def __init__(self) -> None:
        self._keys: dict[_Key, None] = {}
        self._last: _Key | None = None
        self._goes_on = False

    def again(self, reading: Reading, *, is_asked: bool) -> bool:
        """Whether the reading came before. If it equals the last one, it counts as new if the text shows a new query
        (`is_asked`).
        """
        key = _key(reading)
        if key is None:
            return False
        is_new = key not in self._keys or (key == self._last and is_asked and not self._goes_on)
        self._goes_on = not is_new
        if is_new:
            self._last = key
            self._keys[key] = None
            if len(self._keys) > _MOST:
                del self._keys[next(iter(self._keys))]
        return not is_new


def _key(reading: Reading) -> _Key | None:
    """What equal readings have in common; None if different readings may share it."""
    ram, total_ms = reading.answer.get("ram"), reading.answer.get("total-time")
    if not total_ms or not isinstance(ram, Mapping):
        return None
    return reading.answer.get("status"), total_ms, *(ram.get(name) for name in _NAMES)
