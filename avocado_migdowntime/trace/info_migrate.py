# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of the HMP command `info migrate`, as a trace of one sample.

Two layouts are known (migration/migration-hmp-cmds.c): `name: value unit` lines, with bytes >> 10 as kbytes, and
the grouped `key=value` lines of newer releases, with sizes of three digits and a unit. Both round mbps to two digits.
"""

import re

from ..errors import UsageError
from .model import Trace
from .ram import Ram
from .samples import Sample, Samples

_STATUS = re.compile(r"^\s*(?:Migration status|Status):\s*([\w-]+)", re.MULTILINE)
_SIZE = r"(\d+(?:\.\d+)?(?: kbytes| (?:[KMGT]i)?B)?)"
_FIELDS = {
    "expected downtime": (r"expected downtime: (\d+)", r"exp_down=(\d+)"),
    "remaining ram": (rf"remaining ram: {_SIZE}", rf"\bremain={_SIZE}"),
    "throughput": (r"throughput: (\d+(?:\.\d+)?)", r"Throughput \(Mbps\):\s*(\d+(?:\.\d+)?)"),
    "page size": (rf"page size: {_SIZE}", rf"\bpagesize={_SIZE}"),
    "dirty pages rate": (r"dirty pages rate: (\d+)", r"Page Rates.*\bdirty=(\d+)"),
    "dirty sync count": (r"dirty sync count: (\d+)", r"dirty_syncs=(\d+)"),
}
_REQUIRED = ("remaining ram", "throughput", "page size")
_UNITS = {"B": 1, "KiB": 1 << 10, "kbytes": 1 << 10, "": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def looks_like_info_migrate(text: str) -> bool:
    """Whether `text` holds the status line of `info migrate`."""
    return _STATUS.search(text) is not None


def parse_info_migrate(text: str) -> Trace:
    """The snapshot in `text`; raises UsageError where it lacks what a verdict needs or holds several."""
    statuses = _STATUS.findall(text)
    if len(statuses) > 1:
        raise UsageError(f"holds {len(statuses)} `info migrate` snapshots; give one at a time")
    shown = {name: value for name, patterns in _FIELDS.items() if (value := _first(patterns, text)) is not None}
    missing = [name for name in _REQUIRED if name not in shown]
    if missing:
        raise UsageError(
            f"`info migrate` with status {statuses[0]} has no {', '.join(missing)}; "
            "take the text while the migration is active"
        )
    if not (page_bytes := _bytes(shown["page size"])):
        raise UsageError("`info migrate` shows a page size of 0; take the text from QEMU as it is")
    ram = Ram(
        remaining_bytes=_bytes(shown["remaining ram"]),
        page_bytes=page_bytes,
        sent_pages=0,
        zero_pages=0,
        dirty_sync_count=int(shown.get("dirty sync count", 0)),
        dirty_pages_per_s=int(shown.get("dirty pages rate", 0)),
        mbps=float(shown["throughput"]),
    )
    expected_ms = float(shown["expected downtime"]) if "expected downtime" in shown else None
    sample = Sample(0, 0, statuses[0], expected_ms, ram=ram)
    return Trace(Samples.of([sample]), snapshot=True)


def _bytes(text: str) -> int:
    number, unit = re.fullmatch(r"([\d.]+) ?(\w*)", text).groups()  # type: ignore[union-attr]
    return int(float(number) * _UNITS[unit])


def _first(patterns: tuple[str, ...], text: str) -> str | None:
    for pattern in patterns:
        if match := re.search(pattern, text):
            return match[1]
    return None
