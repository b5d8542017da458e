# SPDX-License-Identifier: GPL-2.0-or-later
"""What has gone out of the network of a process, as its devices count it (proc(5): /proc/pid/net/dev)."""

from dataclasses import dataclass
from pathlib import Path

_LOOPBACK = "lo"
_BYTES, _PACKETS = 8, 9
"""Of the columns behind a device's name: the eight before them are of what came in."""


@dataclass(frozen=True)
class SentCounters:
    """What a network has sent since it was made: bytes, with the headers of all layers, and packets."""

    bytes: int
    packets: int


def sent_counters(pid: int) -> SentCounters | None:
    """What all devices but the loopback have sent, in the network where that process is; None where there is none."""
    try:
        _, _, *lines = Path(f"/proc/{pid}/net/dev").read_text().splitlines()
    except OSError:
        return None
    rows = [(name.strip(), counts.split()) for name, _, counts in (line.partition(":") for line in lines)]
    counted = [counts for name, counts in rows if name != _LOOPBACK and len(counts) > _PACKETS]
    return SentCounters(*(sum(int(counts[column]) for counts in counted) for column in (_BYTES, _PACKETS)))
