# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes and packets sent from a process's network, as its devices count them (proc(5): /proc/pid/net/dev)."""

from dataclasses import dataclass
from pathlib import Path

_LOOPBACK = "lo"
_BYTES, _PACKETS = 8, 9
"""Columns after a device's name; the eight before them count what was received."""


@dataclass(frozen=True)
class SentCounters:
    """What a network has sent since it was created: bytes, including the headers of all layers, and packets."""

    bytes: int
    packets: int


def sent_counters(pid: int) -> SentCounters | None:
    """Sent by all devices but the loopback in the network of a process; None if there is no such process."""
    try:
        _, _, *lines = Path(f"/proc/{pid}/net/dev").read_text().splitlines()
    except OSError:
        return None
    rows = [(name.strip(), counts.split()) for name, _, counts in (line.partition(":") for line in lines)]
    counted = [counts for name, counts in rows if name != _LOOPBACK and len(counts) > _PACKETS]
    return SentCounters(*(sum(int(counts[column]) for counts in counted) for column in (_BYTES, _PACKETS)))
