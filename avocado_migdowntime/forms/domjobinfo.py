# SPDX-License-Identifier: GPL-2.0-or-later
"""What virsh prints about a migration, and libvirt's own dict of the same.

It is `virsh domjobinfo`, plain or with --rawstats, and `virsh event` where a job ended.

Sources: tools/virsh-domain.c, cmdDomjobinfo of libvirt (names and units; sizes have three digits after the point of a
binary unit), include/libvirt/libvirt-domain.h (VIR_DOMAIN_JOB_*), src/qemu/qemu_monitor_json.c (memory_bps is QEMU's
decimal mbps in bytes per second).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..basics.interval import Interval
from ..basics.printable import quoted
from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from ..errors import UsageError
from ..trace.reading import Happening, Item, Reading, Remark, Stamp
from .form import Form, Line
from .heads import AROUND, HEAD, REMARK
from .monitor_text import nested
from .repeats import Repeats
from .rounding import SEPARATED, UNITS, broken_number, to_digits, whole, whole_number
from .words import first_words, has_one_of

_LINE = re.compile(r"(?P<name>[A-Za-z][\w /-]*?)(?::\s*|\s{2,}(?=\d))(?P<value>.*)")
_ENDED = re.compile(r"event 'job-completed' for domain ")
_STATED = re.compile(
    r"Domain '?[^']+?'? (suspended|resumed)|event 'lifecycle' for domain .+: (Suspended Paused|Resumed Unpaused)"
)
"""What virsh prints once it has stopped or continued a guest, and what `virsh event` prints if anybody has."""
_STATES = {
    "suspended": "paused",
    "Suspended Paused": "paused",
    "resumed": "running",
    "Resumed Unpaused": "running",
}
_STATE = re.compile(r"(running)(?: \(.+\))?|(paused)(?: \((?:user|saving|dumping|I/O error|watchdog|crashed)\))?")
"""What `virsh domstate` prints, with `--reason` or without."""
_VALUE = re.compile(
    rf"(?P<number>{SEPARATED})\s*(?P<kind>(?P<unit>[KMGTPE]i)?B(?:/s)?|bytes|pages/s|ms|%)?"
    rf"(?:\s*{REMARK}.*)?"
)
"""A figure with its unit, and a remark behind it."""
_TYPES = ("None", "Bounded", "Unbounded", "Completed", "Failed", "Cancelled")
_STATUSES = {"Completed": "completed", "Failed": "failed", "Cancelled": "cancelled"}
_OUTGOING, _INCOMING = ("Outgoing migration", "Migration out", "5"), ("Incoming migration", "Migration in", "4")
_OPERATIONS = (
    *("Unknown", "Start", "Save", "Restore", "Incoming migration", "Outgoing migration", "Snapshot"),
    *("Snapshot revert", "Dump", "Backup", "Snapshot delete"),
)
"""libvirt's virDomainJobOperation, by number."""
_NAMES: Mapping[str, tuple[str, str]] = {
    "total-time": ("Time elapsed", "time_elapsed"),
    "setup-time": ("Setup time", "setup_time"),
    "disk.total": ("File total", "disk_total"),
    "disk.transferred": ("File processed", "disk_processed"),
    "disk.remaining": ("File remaining", "disk_remaining"),
    "ram.total": ("Memory total", "memory_total"),
    "ram.transferred": ("Memory processed", "memory_processed"),
    "ram.remaining": ("Memory remaining", "memory_remaining"),
    "ram.page-size": ("Page size", "memory_page_size"),
    "ram.normal": ("Normal pages", "memory_normal"),
    "ram.normal-bytes": ("Normal data", "memory_normal_bytes"),
    "ram.duplicate": ("Constant pages", "memory_constant"),
    "ram.dirty-sync-count": ("Iteration", "memory_iteration"),
    "ram.dirty-pages-rate": ("Dirty rate", "memory_dirty_rate"),
    "ram.postcopy-requests": ("Postcopy requests", "memory_postcopy_requests"),
    "ram.mbps": ("Memory bandwidth", "memory_bps"),
    "xbzrle-cache.cache-size": ("Compression cache", "compression_cache"),
    "xbzrle-cache.bytes": ("Compressed data", "compression_bytes"),
    "xbzrle-cache.pages": ("Compressed pages", "compression_pages"),
    "xbzrle-cache.cache-miss": ("Compression cache misses", "compression_cache_misses"),
    "xbzrle-cache.overflow": ("Compression overflows", "compression_overflow"),
    "cpu-throttle-percentage": ("Auto converge throttle", "auto_converge_throttle"),
}
_COUNTS = frozenset(
    (
        *("ram.normal", "ram.duplicate", "ram.dirty-sync-count", "ram.postcopy-requests"),
        *("xbzrle-cache.pages", "xbzrle-cache.cache-miss", "xbzrle-cache.overflow"),
    )
)
"""All other figures have a unit in virsh's output, but not in its raw statistics."""
_DOWNTIMES = ("Expected downtime", "Total downtime", "downtime")
_OF_ENDED = frozenset(
    (_DOWNTIMES[1], "Time elapsed w/o network", "Downtime w/o network", "time_elapsed_net", "downtime_net")
)
"""Shown only for a job that is over."""
_OTHERS = frozenset(
    (
        *("Job type", "Operation", "Time elapsed w/o network", "Time remaining", "Data processed", "Data remaining"),
        *("Data total", "File bandwidth", "Downtime w/o network", "TLS handshake", "Stats", "Error message"),
        *("type", "operation", "time_elapsed_net", "time_remaining", "data_total", "data_processed", "data_remaining"),
        *("disk_bps", "downtime_net", "success", "errmsg", "memory_dirty_rate"),
    )
)
FIGURE_NAMES = frozenset((*(name for names in _NAMES.values() for name in names), *_DOWNTIMES)) | _OTHERS
"""The names of a job's figures in virsh and libvirt."""
OF_LIBVIRT = frozenset(names[1] for names in _NAMES.values()) | {"downtime"}
"""Their names in libvirt's own dict."""
_BEHIND_A_HEAD = re.compile(rf"{HEAD}((?:{'|'.join(map(re.escape, sorted(FIGURE_NAMES)))}):.*)")
_BEGINS = "Job type"
_WORDS = first_words(FIGURE_NAMES - {_BEGINS})
"""Each line of a job has one of these: `type` is in the line `Job type` too. `job` is left out, because it is in most
lines of libvirt's log.
"""
_GENERAL = frozenset(("type", "operation", "success", "errmsg", "downtime", "Stats", "Operation", "Error message"))
"""Names that others use as well, so that none of them begins a job."""
_NO_FIELDS = ("error", "warning", "Migration status", "Status", "globals", "capabilities")
_ENOUGH = 3
"""If the first line of a job is missing, this many others show that it is one."""


@dataclass
class _Job:
    stamp: Stamp | None
    arrived_s: float
    gap: bool = False
    fields: dict[str, str] = field(default_factory=dict)


class DomJobInfo(Form):
    """Reads the jobs that virsh prints one after another, whatever is between them."""

    NAME = "the output of `virsh domjobinfo`"
    NEEDLES = (b"emain",)
    ALSO = (b"Job type:", b" suspended", b" resumed", b"paused")
    INSTEAD = """`virsh qemu-monitor-command GUEST '{"execute":"query-migrate"}'`"""

    def __init__(self) -> None:
        super().__init__()
        self._job: _Job | None = None
        self._repeats = Repeats()
        self._is_asked = False
        """Whether the text has the command after the last job."""
        self._is_state_asked = False
        """Whether the text has had `virsh domstate`, perhaps in a loop."""

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        if _ENDED.search(line.text):
            ended = list(self.end())
            self._job = _Job(line.stamp, line.arrived_s, fields={"type": "Completed"})
            return ended
        if (field := self._field(line)) is not None:
            name, value = field
            ended = list(self.end()) if self._is_another(name) else []
            if self._job is None:
                self._job = _Job(line.stamp, line.arrived_s)
            self._job.fields[name] = value
            return ended
        if "domjobinfo" in line.text:
            self._is_asked = True
        if (state := self._state(line.message)) is not None:
            return [*self.end(), *filter(None, [Happening.of_state(state, line.stamp)])]
        if self._job is None or not line.text or AROUND.fullmatch(line.text):
            return None
        if _is_figure(line.text) or _is_figure(line.message):
            return None  # A figure of a newer libvirt, or of another form; the job may go on after it.
        if self._job.fields.keys() == {_BEGINS} and not self._job.gap:
            self._job.gap = True
            return None
        return [*self.end(), line]

    def end(self) -> Iterable[Item]:
        job, self._job = self._job, None
        if job is None or (_BEGINS not in job.fields and len(job.fields) < _ENOUGH):
            return
        is_asked, self._is_asked = self._is_asked, False
        for item in of_fields(job.fields, job.stamp, job.arrived_s):
            if not isinstance(item, Reading) or not self._repeats.again(item, is_asked=is_asked):
                yield item

    def settle(self) -> Iterable[Item]:
        return self.end()

    def _field(self, line: Line) -> tuple[str, str] | None:
        """The name and the value that a line shows of a job."""
        if not has_one_of(_WORDS, line):
            return None
        names = FIGURE_NAMES if self._job is not None else FIGURE_NAMES - _GENERAL
        behind = _BEHIND_A_HEAD.search(line.message)
        for text in dict.fromkeys((line.text, line.message, behind[1] if behind else line.text)):
            match = _LINE.fullmatch(text)
            if match is not None and match["name"] in names:
                return match["name"], match["value"].strip()
        return None

    def _state(self, text: str) -> str | None:
        """The state of the guest that a line shows: virsh has changed it, or `virsh domstate` prints it."""
        self._is_state_asked = self._is_state_asked or "domstate" in text
        if self._is_state_asked and (shown := _STATE.fullmatch(text)):
            return shown[1] or shown[2]
        match = _STATED.fullmatch(text) if text.startswith(("Domain ", "event 'lifecycle' ")) else None
        return _STATES[match[1] or match[2]] if match else None

    def _is_another(self, name: str) -> bool:
        return self._job is not None and (name in self._job.fields or name == _BEGINS)


def _is_figure(text: str) -> bool:
    match = _LINE.fullmatch(text)
    return match is not None and bool(match["value"]) and match["name"] not in _NO_FIELDS


def of_fields(fields: Mapping[str, Any], stamp: Stamp | None, arrived_s: float | None) -> Iterable[Item]:
    """The items of a job whose figures have virsh's or libvirt's names.

    Raises UsageError if a figure is no number, as in another language than English.
    """
    kind = str(fields.get(_BEGINS, fields.get("type", "Unbounded" if _OF_ENDED.isdisjoint(fields) else "Completed")))
    if kind.isdecimal() and int(kind) < len(_TYPES):
        kind = _TYPES[int(kind)]
    if kind == "Completed" and str(fields.get("success", "yes")) in ("no", "0", "False"):
        kind = "Failed"
    if kind not in _TYPES:
        raise UsageError(
            f"Job type is {quoted(kind)} where one of {', '.join(_TYPES)} was expected; run virsh with LC_ALL=C"
        )
    operation = str(fields.get("Operation", fields.get("operation", _OUTGOING[0])))
    is_outgoing, is_incoming = (operation.capitalize() in names for names in (_OUTGOING, _INCOMING))
    arrived = is_incoming and kind == "Completed"
    if not is_outgoing and kind != "None" and not arrived:
        job = _OPERATIONS[int(operation)] if operation.isdecimal() and int(operation) < len(_OPERATIONS) else operation
        where = ": that is shown on the source host" if is_incoming else ""
        yield Remark(f"the job is {quoted(job)} where an outgoing migration was expected{where}", arrived_s=arrived_s)
        return
    status = "none" if kind == "None" else _STATUSES.get(kind, "active")
    figures: dict[str, Any] = {"status": status}
    rounding: dict[str, Interval] = {}
    for name, names in {**_NAMES, "downtime": _DOWNTIMES}.items():
        called = next((one for one in names if one in fields), None)
        if called is None or (called[0].isupper() and not _is_whole(name, str(fields[called]))):
            continue
        if name == "downtime" and status != "completed":
            name = "expected-downtime"
        figures[name], interval = _number(names[0], str(fields[called]))
        if interval is not None:
            rounding[name] = interval
    if status == "active" and figures.get("ram.postcopy-requests"):
        # libvirt calls the real downtime an expected one until the job is over.
        figures["status"], figures["downtime"] = "postcopy-active", figures.pop("expected-downtime", None)
    figures = {name: value for name, value in figures.items() if value is not None}
    if error := fields.get("Error message", fields.get("errmsg")):
        figures["error-desc"] = str(error)
    _in_mbps(figures, rounding)
    if figures.get("disk.remaining") and not figures.get("ram.total"):
        # Disks are sent first.
        figures |= {"ram.total": 0, "ram.transferred": 0, "ram.remaining": 0}
    elif not figures.get("ram.total", True):
        # Nothing is shown of memory yet.
        figures = {name: value for name, value in figures.items() if not name.startswith("ram.")}
    yield Reading(nested(figures), stamp, rounding, arrived_s=arrived_s)


def _is_whole(name: str, text: str) -> bool:
    """Whether a figure has the unit that virsh prints. If not, it is a percentage, or the text ends there or was
    shortened.
    """
    match = _VALUE.fullmatch(text)
    if match is None or name in _COUNTS:
        return any(map(str.isalnum, text))
    kind = match["kind"]
    if kind == "%":
        return name == "cpu-throttle-percentage"
    return kind is not None


def _in_mbps(figures: dict[str, Any], rounding: dict[str, Interval]) -> None:
    """virsh shows the bandwidth in bytes per second, with --rawstats as a whole number."""
    if figures.keys() >= {"ram.dirty-sync-count", "ram.page-size"}:
        # libvirt leaves out a bandwidth or a rate of 0 if it shows these two; otherwise somebody else may have left it
        # out.
        figures.setdefault("ram.mbps", 0)
        figures.setdefault("ram.dirty-pages-rate", 0)
    if not figures.get("ram.mbps"):
        return
    to_mbps = 1 / 1000 / BYTES_PER_MS_PER_MBPS
    bytes_per_s = figures["ram.mbps"]
    rounding["ram.mbps"] = rounding.get("ram.mbps", Interval(bytes_per_s, bytes_per_s + 1)).scaled(to_mbps)
    figures["ram.mbps"] = bytes_per_s * to_mbps


def _number(name: str, text: str) -> tuple[float, Interval | None]:
    match = _VALUE.fullmatch(text)
    is_size = match is not None and (match["kind"] or "").startswith(("B", "K", "M", "G", "T", "P", "E"))
    number = (broken_number if is_size else whole_number)(match["number"]) if match else None
    if match is None or number is None:
        do = "give what virsh prints as it is" if text[:1].isdigit() else "run virsh with LC_ALL=C"
        raise UsageError(f"{name} is {quoted(text)} where a number was expected; {do}")
    if name == "Dirty rate" and match["kind"] not in (None, "pages/s"):
        raise UsageError(f"{name} is {quoted(text)} where pages/s were expected: give what virsh prints as it is")
    unit = UNITS[(match["unit"] or "")[:1]]
    if unit == 1:
        return whole(float(number)), None
    return whole(float(number) * unit), to_digits(float(number), len(number.partition(".")[2]), unit)
