# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of the HMP command `info migrate`, as a trace of one sample.

Two layouts are known: `name: value unit` lines (to QEMU 10.0) and grouped `key=value` lines (from QEMU 10.1;
both migration/migration-hmp-cmds.c). HMP prints bytes >> 10 as kbytes and rounds mbps to two digits.
"""

import re

from .errors import BadInput
from .trace import Ram, Sample, Trace

_STATUS = re.compile(r"^\s*(?:Migration status|Status):\s*([\w-]+)", re.MULTILINE)
_FIELDS = {
    "expected_ms": (r"expected downtime:\s*(\d+)", r"exp_down=(\d+)"),
    "total_kib": (r"total ram:\s*(\d+)", r"Sizes \(KiB\):.*?\btotal=(\d+)"),
    "remaining_kib": (r"remaining ram:\s*(\d+)", r"\bremain(?:ing)?=(\d+)"),
    "mbps": (r"throughput:\s*([\d.]+)", r"Throughput \(Mbps\):\s*([\d.]+)"),
    "page_kib": (r"page size:\s*(\d+)", r"\bpagesize=(\d+)"),
    "dirty_pages_per_s": (r"dirty pages rate:\s*(\d+)", r"Page Rates \(pps\):.*?\bdirty=(\d+)"),
    "sync_count": (r"dirty sync count:\s*(\d+)", r"dirty_syncs=(\d+)"),
}
_REQUIRED = {
    "remaining_kib": "remaining ram",
    "mbps": "throughput",
    "page_kib": "page size",
}


def looks_like_info_migrate(text: str) -> bool:
    """Whether `text` holds the status line of `info migrate`."""
    return _STATUS.search(text) is not None and not text.lstrip().startswith("{")


def parse_info_migrate(text: str) -> Trace:
    """The snapshot in `text`; raises BadInput where it lacks what a verdict needs or holds several."""
    statuses = _STATUS.findall(text)
    if len(statuses) > 1:
        raise BadInput(f"holds {len(statuses)} `info migrate` snapshots; give one at a time")
    values = {name: _first(patterns, text) for name, patterns in _FIELDS.items()}
    missing = [label for name, label in _REQUIRED.items() if values[name] is None]
    if missing:
        raise BadInput(f"`info migrate` with status {statuses[0]} has no {', '.join(missing)}; "
                       "take the text while the migration is active")
    ram = Ram(
        total_bytes=int(values["total_kib"] or 0) << 10,
        remaining_bytes=int(values["remaining_kib"] or 0) << 10,
        page_bytes=int(values["page_kib"] or 0) << 10,
        sent_pages=0,
        zero_pages=0,
        dirty_sync_count=int(values["sync_count"] or 0),
        dirty_pages_per_s=int(values["dirty_pages_per_s"] or 0),
        mbps=float(values["mbps"] or 0),
    )
    expected_ms = values["expected_ms"]
    sample = Sample(0, 0, statuses[0], float(expected_ms) if expected_ms else None, ram=ram)
    return Trace((sample,), snapshot=True)


def _first(patterns: tuple[str, ...], text: str) -> str | None:
    for pattern in patterns:
        if match := re.search(pattern, text, re.IGNORECASE):
            return match[1]
    return None
