# SPDX-License-Identifier: GPL-2.0-or-later
"""What `virsh domjobinfo` prints of a migration, as the answer to query-migrate that it was made from.

Sources: tools/virsh-domain.c:cmdDomjobinfo of libvirt (names and units; sizes have three digits after the point of a
binary unit), src/qemu/qemu_monitor_json.c (memory_bps is QEMU's decimal mbps in bytes per second). Strings as in
libvirt 9.0, for `domjobinfo` and `domjobinfo --rawstats`.
"""

import re
from collections.abc import Mapping
from typing import Any

from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from ..errors import UsageError

BEGINS = "Job type:"
_LINE = re.compile(r"(?P<name>\w[^:]*):\s*(?P<value>.*?)\s*")
_VALUE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?:(?P<unit>[KMGTPE]i)?B(?:/s)?|bytes|pages/s|ms)?")
_UNITS = {"": 1, **{f"{letter}i": 1 << 10 * power for power, letter in enumerate("KMGTPE", 1)}}
_TYPES = ("None", "Bounded", "Unbounded", "Completed", "Failed", "Cancelled")
_STATUSES = {"Completed": "completed", "Failed": "failed", "Cancelled": "cancelled"}
_RAM = {
    "remaining": ("Memory remaining", "memory_remaining"),
    "page-size": ("Page size", "memory_page_size"),
    "normal": ("Normal pages", "memory_normal"),
    "duplicate": ("Constant pages", "memory_constant"),
    "dirty-sync-count": ("Iteration", "memory_iteration"),
}
_RAM_TOTAL = ("Memory total", "memory_total")
_DIRTY_RATE = ("Dirty rate", "memory_dirty_rate")
_BANDWIDTH = ("Memory bandwidth", "memory_bps")
_EXPECTED = ("Expected downtime", "downtime")
_DOWNTIME = ("Total downtime", "downtime")


def answer_of(block: str) -> Mapping[str, Any]:
    """The answer to query-migrate; its status is `none` where libvirt says that there is no job.

    The ram part is left out where nothing is told of memory yet. Raises UsageError naming the line where one is missing
    or is no number, and where the job is no migration from here.
    """
    job = {match["name"]: match["value"] for line in block.splitlines() if (match := _LINE.fullmatch(line.strip()))}
    kind = job.get(BEGINS.rstrip(":"), "")
    if kind.isdigit() and int(kind) < len(_TYPES):
        kind = _TYPES[int(kind)]
    if kind not in _TYPES:
        raise UsageError(f"Job type is {kind!r} where one of {', '.join(_TYPES)} was expected; run virsh with LC_ALL=C")
    if kind == "None":
        return {"status": "none"}
    if (operation := job.get("Operation", "Outgoing migration")) != "Outgoing migration":
        raise UsageError(f"the job is {operation!r} where an outgoing migration was expected")
    status = _STATUSES.get(kind, "active")
    answer: dict[str, Any] = {"status": status}
    downtime = _number(job, _DOWNTIME if status == "completed" else _EXPECTED)
    if downtime is not None:
        answer["downtime" if status == "completed" else "expected-downtime"] = downtime
    if total := _number(job, _RAM_TOTAL):
        answer["ram"] = _ram(job, total)
    return answer


def _ram(job: Mapping[str, str], total: float) -> Mapping[str, Any]:
    ram = {name: _number(job, names) for name, names in _RAM.items()}
    missing = [_RAM[name][0] for name, value in ram.items() if value is None]
    if missing:
        raise UsageError(f"domjobinfo shows no {', '.join(missing)}; repeat `virsh qemu-monitor-command` in its place")
    bytes_per_s = _number(job, _BANDWIDTH) or 0
    dirty_rate = _number(job, _DIRTY_RATE) or 0
    return {"total": total, **ram, "dirty-pages-rate": dirty_rate, "mbps": bytes_per_s / 1000 / BYTES_PER_MS_PER_MBPS}


def _number(job: Mapping[str, str], names: tuple[str, str]) -> float | None:
    """The number under the first of the names that there is, in bytes where it is a size."""
    name = next((name for name in names if name in job), None)
    if name is None:
        return None
    match = _VALUE.fullmatch(job[name])
    if match is None:
        raise UsageError(f"{name} is {job[name]!r} where a number was expected; run virsh with LC_ALL=C")
    number = float(match["number"]) * _UNITS[match["unit"] or ""]
    return int(number) if number.is_integer() else number
