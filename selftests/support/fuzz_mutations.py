# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of JSON lines that mostly leave them JSON lines, so that a fuzzer reaches what is done with their figures."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Mutate = Callable[[bytes, int], bytes]
"""A fuzzer's own change of bytes, to at most that many."""

_VALUES = (
    *(None, True, 0, 1, -1, 0.5, 1 << 31, 1 << 63, 1 << 64, -(1 << 63), 1e308, 5e-324, float("nan"), float("inf")),
    *("", "none", "setup", "active", "device", "completed", "failed", "cancelled", "postcopy-active"),
    *("\ud800", "\x1b[2J", "9", [], {}, [1], {"remaining": 1}),
)
_FACTORS = (-1, 0.5, 1, 2, 1000)


def of_lines(data: bytes, longest_bytes: int, random: Random, mutate: Mutate) -> bytes:
    """A quarter is changed anywhere, half after the first line, and in the rest a line or a value of one."""
    kind = random.randrange(4)
    head, end, rest = data.partition(b"\n")
    left_bytes = longest_bytes - len(head + end)
    if kind in (1, 2) and left_bytes > 0:
        return head + end + mutate(rest, left_bytes)
    if kind == 3:
        changed = b"\n".join(_changed(data.split(b"\n"), random))
        if len(changed) <= longest_bytes:
            return changed
    return mutate(data, longest_bytes)


def _changed(lines: list[bytes], random: Random) -> list[bytes]:
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(8):
        case 0:
            lines.insert(other, lines[one])
        case 1:
            lines[one], lines[other] = lines[other], lines[one]
        case 2:
            del lines[one]
        case _:
            lines[one] = with_another_value(lines[one], random)
    return lines


def with_another_value(line: bytes, random: Random) -> bytes:
    """The JSON of `line` without one of its values, or with another in its place; any other line unchanged."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return line
    places = [*_places(message)]
    if not places:
        return line
    holder, key = random.choice(places)
    match random.randrange(4), holder[key]:
        case 0, _:
            del holder[key]
        case 1, float() | int() as number if abs(number) < 1 << 64:
            holder[key] = number * random.choice(_FACTORS) + random.choice((-1, 0, 1))
        case 2, _:
            of, name = random.choice(places)
            holder[key] = json.loads(json.dumps(of[name]))
        case _:
            holder[key] = random.choice(_VALUES)
    return json.dumps(message, separators=(",", ":")).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each object or array within `value`, with each key or index that it has."""
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in within:
        yield value, key
        yield from _places(inner)
