# SPDX-License-Identifier: GPL-2.0-or-later
"""Which readings were told before: a text may hold the same ones twice, as where it quotes what was posted earlier."""

from collections.abc import Mapping
from typing import Any

from ..trace.reading import Reading

_MOST = 1000
_NAMES = ("transferred", "remaining", "normal")
_Key = tuple[Any, ...]


class Repeats:
    """Takes the readings of one guest as they come."""

    def __init__(self) -> None:
        self._keys: dict[_Key, None] = {}
        self._last: _Key | None = None
        self._goes_on = False

    def again(self, reading: Reading, *, is_asked: bool) -> bool:
        """Whether the same one was told before. The last one is told again, unless the text shows that it was asked."""
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
    """What two readings have in common that are the same one; None where another one may have it too."""
    ram, total_ms = reading.answer.get("ram"), reading.answer.get("total-time")
    if not total_ms or not isinstance(ram, Mapping):
        return None
    return reading.answer.get("status"), total_ms, *(ram.get(name) for name in _NAMES)
