# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers of QMP monitors as Avocado-VT logs them.

The layout is that of virttest/qemu_monitor.py and of logs posted with it (avocado-vt's pull request 2223, 2019).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_BEGIN = datetime(2019, 8, 23, 13, 50, 33, tzinfo=UTC)
MONITOR = "avocado-vt-vm1.qmpmonitor1"


def logged(message: str, t_s: float) -> str:
    """One line of Avocado's log, in the layout of 2017 to 2022."""
    at = f"{_BEGIN + timedelta(seconds=t_s):%Y-%m-%d %H:%M:%S,%f}"[:-3]
    return f"{at} qemu_monitor     L1876 DEBUG| {message}\n"


def answered(command: str, answer: Any, t_s: float, monitor: str = MONITOR) -> str:
    """A command that is sent, and the log of its answer."""
    head = f"(monitor {monitor})"
    sent = f"{{'execute': '{command}', 'id': 'eSF01GvB'}}"
    lines = [f"{head} Sending command '{command}' ", f"Send command: {sent}"]
    lines.append(f"{head} Response to '{command}' (re-formated)")
    lines += [f"{head}    {line}" for line in _lines(answer)]
    return "".join(logged(line, t_s) for line in lines)


def _lines(answer: Any, depth: int = 0) -> Iterator[str]:
    """Each field on a line; a nested field is indented twice, once by its dump and once by its log."""
    if isinstance(answer, Mapping):
        for name, value in answer.items():
            if isinstance(value, Mapping | list):
                yield f"{' ' * 2 * depth}{name}: "
                yield from _lines(value, depth + 2)
            else:
                yield f"{' ' * 2 * depth}{name}: {value}"
    else:
        for one in answer:
            if isinstance(one, Mapping):
                yield from _lines(one, depth + 2)
            else:
                yield f"{' ' * depth}{one}"


def log(
    header: Mapping[str, Any],
    rows: Sequence[tuple[float, float, Mapping[str, Any]]],
    events: Sequence[Mapping[str, Any]],
) -> str:
    """A recording as such a log: its parameters, then each of its answers."""
    parameters = answered("query-migrate-parameters", header["migrate-parameters"], 0.0)
    return parameters + "".join(answered("query-migrate", answer, t_s) for t_s, _, answer in rows)
