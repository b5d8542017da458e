# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of the monitor's command `info migrate`, in each layout that QEMU has had since 1.3.

Sources: migration/migration-hmp-cmds.c, before 8.0 monitor/hmp-cmds.c, before 2.12 hmp.c. Up to 10.0 there is a line
for each figure, its bytes >> 10 as kbytes; since 10.1 lines hold several of them as `key=value`, with sizes of three
digits, and on the way there, in May 2025, in KB on lines that go on in the next two. Both round the throughput to two
digits, and leave out a dirty rate of 0. Throughput is shown since 1.6, dirty syncs since 2.1, the page size since 2.10.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..basics.interval import Interval
from ..trace.reading import Item, Reading, Remark, Stamp
from .form import Form, Line
from .rounding import UNITS, cut, to_digits, to_three_digits, whole
from .stamps import guest_of

STATUSES = frozenset(
    (
        *("none", "setup", "cancelling", "cancelled", "active", "postcopy-active", "postcopy-paused", "completed"),
        *("postcopy-recover-setup", "postcopy-recover", "postcopy-device", "failed", "failing", "colo"),
        *("pre-switchover", "device", "wait-unplug"),
    )
)
"""QEMU's MigrationStatus, qapi/migration.json."""
_PROMPT = re.compile(r"\(qemu\)\s*")
_STATUS = re.compile(r"(?:Migration status|Status):\s*([a-z-]+)\s*(?:\((?P<why>.*?)\)?)?")
_NAMED = re.compile(r"([A-Za-z][\w -]*?)\s*:\s*(-?\d+(?:\.\d+)?|-?nan)\s*([a-zA-Z]*)\s*(?:$|<|#)")
_GROUP = re.compile(r"([A-Za-z][\w -]*?)\s*(?:\(([A-Za-z%]+)\))?\s*:\s*(.*)")
_PAIR = re.compile(r"(\w+)=(-?(?:\d+(?:\.\d+)?(?:e[+]\d+)?|nan))(?:\s?([KMGTPE]i?)?(B)?)?(?=\s*(?:,|$))")
_MS, _KBYTES, _PAGES = ("ms", "milliseconds"), ("kbytes",), ("pages",)
_LINES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "total time": ("total-time", _MS),
    "expected downtime": ("expected-downtime", _MS),
    "downtime": ("downtime", _MS),
    "setup": ("setup-time", _MS),
    "transferred ram": ("ram.transferred", _KBYTES),
    "throughput": ("ram.mbps", ("mbps",)),
    "remaining ram": ("ram.remaining", _KBYTES),
    "total ram": ("ram.total", _KBYTES),
    "duplicate": ("ram.duplicate", _PAGES),
    "skipped": ("ram.skipped", _PAGES),
    "normal": ("ram.normal", _PAGES),
    "normal bytes": ("ram.normal-bytes", _KBYTES),
    "dirty sync count": ("ram.dirty-sync-count", ("",)),
    "page size": ("ram.page-size", _KBYTES),
    "multifd bytes": ("ram.multifd-bytes", _KBYTES),
    "pages-per-second": ("ram.pages-per-second", ("",)),
    "dirty pages rate": ("ram.dirty-pages-rate", _PAGES),
    "postcopy request count": ("ram.postcopy-requests", ("",)),
    "precopy ram": ("ram.precopy-bytes", _KBYTES),
    "downtime ram": ("ram.downtime-bytes", _KBYTES),
    "postcopy ram": ("ram.postcopy-bytes", _KBYTES),
    "transferred disk": ("disk.transferred", _KBYTES),
    "remaining disk": ("disk.remaining", _KBYTES),
    "total disk": ("disk.total", _KBYTES),
    "cache size": ("xbzrle-cache.cache-size", ("bytes",)),
    "xbzrle transferred": ("xbzrle-cache.bytes", _KBYTES),
    "xbzrle pages": ("xbzrle-cache.pages", _PAGES),
    "xbzrle cache miss": ("xbzrle-cache.cache-miss", ("", "pages")),
    "xbzrle cache miss rate": ("xbzrle-cache.cache-miss-rate", ("",)),
    "xbzrle encoding rate": ("xbzrle-cache.encoding-rate", ("",)),
    "xbzrle overflow": ("xbzrle-cache.overflow", ("",)),
    "compression pages": ("compression.pages", _PAGES),
    "compression busy": ("compression.busy", ("",)),
    "compression busy rate": ("compression.busy-rate", ("",)),
    "compressed size": ("compression.compressed-size", ("", "kbytes")),
    "compression rate": ("compression.compression-rate", ("",)),
    "cpu throttle percentage": ("cpu-throttle-percentage", ("",)),
    "vfio device transferred": ("vfio.transferred", _KBYTES),
}
"""What a line is called, in QMP's spelling, with the units that it can have."""
LINE_NAMES = tuple(_LINES)
"""What the lines of releases up to 10.0 are called."""
_TRANSFERS = {"transferred": "ram.transferred", "remain": "ram.remaining"}
_CHANNELS = {
    "precopy": "ram.precopy-bytes",
    "multifd": "ram.multifd-bytes",
    "postcopy": "ram.postcopy-bytes",
    "vfio": "vfio.transferred",
}
_GROUPS: Mapping[str, Mapping[str, str]] = {
    "time": {"total": "total-time", "setup": "setup-time", "exp_down": "expected-downtime", "down": "downtime"},
    "sizes": {"pagesize": "ram.page-size", "psize": "ram.page-size", "total": "ram.total", **_TRANSFERS, **_CHANNELS},
    "transfers": _TRANSFERS,
    "channels": _CHANNELS,
    "page types": {"normal": "ram.normal", "zero": "ram.duplicate"},
    "pages": {"normal": "ram.normal", "zero": "ram.duplicate", "rate_per_sec": "ram.pages-per-second"},
    "page rates": {
        "transfer": "ram.pages-per-second",
        "dirty": "ram.dirty-pages-rate",
        "transfer_rate": "ram.pages-per-second",
        "dirty_rate": "ram.dirty-pages-rate",
    },
    "others": {
        "dirty_syncs": "ram.dirty-sync-count",
        "dirty_pages_rate": "ram.dirty-pages-rate",
        "postcopy_req": "ram.postcopy-requests",
        "downtime_bytes": "ram.downtime-bytes",
    },
    "xbzrle": {
        "size": "xbzrle-cache.cache-size",
        "transferred": "xbzrle-cache.bytes",
        "pages": "xbzrle-cache.pages",
        "miss": "xbzrle-cache.cache-miss",
    },
}
_KIB = ("KiB", "KB")
_GOES_ON: Mapping[str, Mapping[str, str]] = {
    "transferred=": {**_TRANSFERS, **_CHANNELS},
    "precopy=": _CHANNELS,
}
"""How lines begin that go on with one of sizes in KB, and what is in them."""
_XBZRLE_REST = {
    "miss_rate": "xbzrle-cache.cache-miss-rate",
    "encode_rate": "xbzrle-cache.encoding-rate",
    "overflow": "xbzrle-cache.overflow",
}
_BEHIND_A_HEAD = re.compile(
    rf"[|>)\]]\s+((?:{'|'.join(map(re.escape, ('Migration status', 'Status', *_LINES)))}"
    rf"|(?i:{'|'.join(_GROUPS)}|throughput|bandwidth|cpu throttle|remaining)(?: \([\w%]+\))?)\s*:.*)"
)
"""A line behind what a log of tests, or a program that starts others, puts before each."""
_ASKED = re.compile(r"(?:\(qemu\)|qm>) *info migrate")
_SOCKETS = re.compile(r"(?:Sockets|socket address): \[|(?:tcp|unix|fd|vsock|rdma):\S+|\]")
"""Where it listens, which may stand amid its figures."""
_BLOCKED = "Outgoing migration blocked:"
_BEGINS = ("globals:", "capabilities:")
_PATIENCE = 3
"""So many lines of something else end a text that seemed to go on."""
_ENOUGH = ("status", "expected-downtime", "downtime", "ram.remaining")


@dataclass
class _Shown:
    """The figures of one text, by their names in QMP's spelling."""

    stamp: Stamp | None
    arrived_s: float
    figures: dict[str, Any] = field(default_factory=dict)
    rounding: dict[str, Interval] = field(default_factory=dict)
    strange: int = 0


class MonitorText(Form):
    """Reads `info migrate`, as often as it is there."""

    NAME = "the text of `info migrate`"
    INSTEAD = "`info migrate` in the same monitor, repeatedly"
    NEEDLES = (b"emain", b"owntime")
    ALSO = (b"igration status: ", b"exp_down=", b"Status: ", b"Time (ms):")

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[str, _Shown] = {}
        self._is_blocked = False

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        behind = _BEHIND_A_HEAD.search(line.message)
        for text in dict.fromkeys((line.text, line.message, behind[1] if behind else line.text)):
            prompt = _PROMPT.match(text)
            figures = _figures(text[prompt.end() :] if prompt else text)
            if figures:
                of = guest_of(line.message)
                shown = self._shown.get(of)
                ended = self._ended(of) if shown and (prompt or any(name in shown.figures for name in figures)) else []
                shown = self._shown.setdefault(of, _Shown(line.stamp, line.arrived_s))
                shown.strange = 0
                for name, (value, interval) in figures.items():
                    shown.figures[name] = value
                    if interval is not None:
                        shown.rounding[name] = interval
                return ended
        return self._something_else(line)

    def end(self) -> Iterable[Item]:
        return [item for of in list(self._shown) for item in self._ended(of)]

    def settle(self) -> Iterable[Item]:
        return self.end()

    def _ended(self, of: str) -> list[Item]:
        """What was shown of a guest, of which no more belongs to it."""
        shown = self._shown.pop(of, None)
        if shown is None or not any(name in shown.figures for name in _ENOUGH):
            return []
        if "ram.dirty-sync-count" in shown.figures:
            # QEMU leaves out a rate of 0.
            shown.figures.setdefault("ram.dirty-pages-rate", 0)
        answer, rounding = nested(shown.figures), shown.rounding
        return [Reading(answer, shown.stamp, rounding=rounding, of=of, arrived_s=shown.arrived_s)]

    def _something_else(self, line: Line) -> Sequence[Item | Line] | None:
        if self._is_blocked and line.text:
            self._is_blocked = False
            return [Remark(f"QEMU says that this guest cannot be migrated: {line.text}")]
        self._is_blocked = line.text == _BLOCKED
        if self._is_blocked or _ASKED.fullmatch(line.text):
            return [*self.end()]
        if not self._shown or not line.text:
            return None
        of = guest_of(line.message)
        shown = self._shown.get(of)
        if shown is None:
            return None
        if _SOCKETS.fullmatch(line.text):
            return []
        shown.strange += 1
        if shown.strange < _PATIENCE and not _PROMPT.match(line.text) and not line.text.startswith(_BEGINS):
            return None
        return [*self._ended(of), line]


def nested(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Names with a part's name before a point as an object in an object."""
    answer: dict[str, Any] = {}
    for name, value in figures.items():
        part, _, inner = name.rpartition(".")
        (answer.setdefault(part, {}) if part else answer)[inner] = value
    return answer


_Figures = Mapping[str, tuple[Any, Interval | None]]


def _figures(text: str) -> _Figures:
    """What one line shows, each with what rounding leaves open; nothing where it is no line of this."""
    if not text or text[0] in "{[\"'":
        return {}
    if match := _STATUS.fullmatch(text):
        if match[1] not in STATUSES:
            return {}
        return {"status": (match[1], None), **({"error-desc": (match["why"], None)} if match["why"] else {})}
    if match := _NAMED.match(text):
        name, unit = match[1], match[3].lower()
        known = _LINES.get(name)
        if known is not None:
            return _of_line(*known, match[2], unit) if unit in known[1] else {}
    return _of_group(text)


def _of_line(name: str, units: tuple[str, ...], shown: str, unit: str) -> _Figures:
    if shown.endswith("nan") or (shown.startswith("-") and name != "ram.remaining"):
        return {}
    if unit == "kbytes":
        kbytes = int(float(shown)) if "." in shown else int(shown)
        size = kbytes << 10
        return {name: (size, Interval(size, size) if name == "ram.page-size" else cut(kbytes, 1 << 10))}
    if "." in shown:
        return {name: (float(shown), to_digits(float(shown), len(shown.partition(".")[2])))}
    return {name: (int(shown), None)}


def _of_group(text: str) -> _Figures:
    match = _GROUP.fullmatch(text)
    if match is None:
        if "miss_rate=" in text:
            return _pairs(text, _XBZRLE_REST)
        begin = next((begin for begin in _GOES_ON if text.startswith(begin)), None)
        return _pairs(text, _GOES_ON[begin], in_kib=True) if begin and ":" not in text else {}
    label, unit, rest = match[1].lower(), match[2] or "", match[3]
    if label in ("throughput", "bandwidth") and unit.lower() == "mbps":
        number = re.match(r"\d+(?:\.(\d+))?", rest)
        if number is None:
            return {}
        return {"ram.mbps": (float(number[0]), to_digits(float(number[0]), len(number[1] or "")))}
    if label == "remaining" and re.fullmatch(r"[\d.e+]+ ?(?:[KMGTPE]i)?B", rest):
        return _pairs(f"remaining={rest}", {"remaining": "remaining"})
    if label == "cpu throttle":
        return {"cpu-throttle-percentage": (int(rest), None)} if rest.isdigit() else {}
    names = _GROUPS.get(label)
    return _pairs(rest, names, in_kib=unit in _KIB) if names is not None else {}


def _pairs(text: str, names: Mapping[str, str], *, in_kib: bool = False) -> _Figures:
    found: dict[str, tuple[Any, Interval | None]] = {}
    for match in _PAIR.finditer(text):
        name, shown = names.get(match[1]), match[2]
        if name is None or shown.endswith("nan"):
            continue
        if match[4] or in_kib:
            factor = UNITS[(match[3] or "K" * in_kib)[:1]]
            interval = cut(float(shown), factor) if in_kib else to_three_digits(shown, factor)
            if name == "ram.page-size":
                interval = Interval(float(shown) * factor, float(shown) * factor)
            found[name] = (whole(float(shown) * factor), interval)
        else:
            found[name] = (whole(float(shown)), None)
    return found
