# SPDX-License-Identifier: GPL-2.0-or-later
"""The output of the monitor's command `info migrate`, in every layout since QEMU 1.3.

Sources: migration/migration-hmp-cmds.c, before 8.0 monitor/hmp-cmds.c, before 2.12 hmp.c. Up to 10.0 each figure has
its own line, with bytes >> 10 as kbytes. Since 10.1 lines have several figures as `key=value`, with sizes of three
digits. In between, in May 2025, sizes were in KB on lines that continue on the next two. All round the throughput to
two digits, and leave out a dirty rate of 0. Throughput is shown since 1.6, dirty syncs since 2.1, the page size since
2.10.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..basics.interval import Interval
from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from ..trace.reading import Happening, Item, Reading, Remark, Stamp
from .form import MAYBE, Form, Line
from .heads import AROUND, HEAD, REMARK
from .monitor_lines import Figures, figure_in, misread_in, with_fraction
from .monitor_names import GOES_ON, GROUPS, KIB, LINES, SIZES, XBZRLE_REST
from .repeats import Repeats
from .rounding import SEPARATED, UNITS, broken_number, cut, to_three_digits, whole
from .stamps import guest_of
from .words import first_words, has_one_of

STATUSES = frozenset(
    (
        *("none", "setup", "cancelling", "cancelled", "active", "postcopy-active", "postcopy-paused", "completed"),
        *("postcopy-recover-setup", "postcopy-recover", "postcopy-device", "failed", "failing", "colo"),
        *("pre-switchover", "device", "wait-unplug"),
    )
)
"""QEMU's MigrationStatus, qapi/migration.json."""
_PROMPT = re.compile(r"\(qemu\)\s*")
_STATUS = re.compile(
    r"(?:Migration [sS]tatus|Status):\s*(?P<status>[a-z-]+)"
    rf"(?:\s*\((?P<why>.*?)(?:\)(?:\s*{REMARK}.*)?)?|\s+{REMARK}.*)?"
)
_GROUP = re.compile(r"([A-Za-z][\w -]*?)\s*(?:\(([A-Za-z%]+)\)\s*)?:\s*(.*)")
_PAIR = re.compile(r"\b(\w+)=(-?(?:\d+(?:\.\d+)?(?:e[+]\d+)?|nan))(?:\s?([KMGTPE]i?)?(B)?)?(?=\s*(?:,|$))")
_REMARK = re.compile(rf"\s+{REMARK}.*")
_BEHIND_A_HEAD = re.compile(
    rf"{HEAD}((?:{'|'.join(map(re.escape, ('Migration status', 'Status', *LINES)))}"
    rf"|(?i:{'|'.join(GROUPS)}|throughput|bandwidth|cpu throttle|remaining)(?: \([\w%]+\))?)\s*:.*"
    r"|(?:transferred|precopy|miss_rate)=[\d.].*)"
)
"""A line after the prefix of a test log or of a wrapper program."""
_WORDS = first_words((*LINES, *GROUPS, *GOES_ON, *XBZRLE_REST, "Migration status", "Status", "bandwidth", "remaining"))
"""Each line with a figure has one of these, at least as the start of the figure's name."""
_COMMAND = re.compile(r"(?:\(qemu\)|qm>) *info migrate")
_SOCKETS = re.compile(r"(?:Sockets|socket address): \[|(?:tcp|unix|fd|vsock|rdma):\S+|\]")
"""The listening address, which may stand among the figures."""
_BLOCKED = "Outgoing migration blocked:"
_BEGINS = ("globals:", "capabilities:")
_STATE = re.compile(r"VM status: (?:paused \()?([\w-]+)\)?(?: \(single step mode\))?")
_PATIENCE = 3
"""This many other lines end an output that seemed to continue."""
_MOST_OF_MEAN = 20
"""A throughput without a fraction, rounded by whoever wrote it, is accepted up to this many times the mean."""
_OF_QMP_AS_WELL = {"ram.pages-per-second"}
"""A QMP answer shows this in the same way, so no output of the monitor begins with it."""
_ENOUGH = ("status", "expected-downtime", "downtime", "ram.remaining")


@dataclass
class _Output:
    """The figures of one output, in QMP's spelling."""

    stamp: Stamp | None
    arrived_s: float
    figures: dict[str, Any] = field(default_factory=dict)
    rounding: dict[str, Interval] = field(default_factory=dict)
    misread: list[str] = field(default_factory=list)
    """Those of which a digit was taken for a letter."""
    strange: int = 0
    headed: bool = False
    """Whether it begins after a log's prefix, so that it may be a status of something else."""


class MonitorText(Form):
    """Reads `info migrate`, as often as the text has it."""

    NAME = "the output of `info migrate`"
    INSTEAD = "`info migrate` in the same monitor, repeatedly"
    NEEDLES = (b"emain", b"owntime")
    ALSO = (b"igration status: ", b"VM status: ", b"exp_down=", b"Status: ", b"Time (ms):")

    def __init__(self) -> None:
        super().__init__()
        self._outputs: dict[str, _Output] = {}
        self._repeats: dict[str, Repeats] = {}
        """For each guest, the outputs seen before."""
        self._is_asked = False
        """Whether the text has the command after that."""
        self._is_blocked = False

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        if not has_one_of(_WORDS, line) and "miss_rate=" not in line.text:
            return self._something_else(line)
        behind = _BEHIND_A_HEAD.search(line.message)
        part = behind[1] if behind else line.text
        within = bool(self._outputs)
        for text in dict.fromkeys((line.text, line.message, part)):
            prompt = _PROMPT.match(text)
            figures = _figures(text[prompt.end() :] if prompt else text, within)
            if figures and not within and figures.keys() == _OF_QMP_AS_WELL:
                return MAYBE
            if figures:
                of = guest_of(line.message)
                output = self._outputs.get(of)
                ended = (
                    self._ended(of) if output and (prompt or any(name in output.figures for name in figures)) else []
                )
                is_next = of in self._repeats and text.startswith("Migration status:")
                is_headed = behind is not None and text is part and not is_next
                output = self._outputs.setdefault(of, _Output(line.stamp, line.arrived_s, headed=is_headed))
                output.strange = 0
                for name, (value, interval) in figures.items():
                    output.figures[name] = value
                    if interval is not None:
                        output.rounding[name] = interval
                return ended
        if (output := self._outputs.get(guest_of(line.message))) and (misread := misread_in(part)):
            output.misread.append(misread)
            return []
        return self._something_else(line)

    def end(self) -> Iterable[Item]:
        return [item for of in list(self._outputs) for item in self._ended(of)]

    def settle(self) -> Iterable[Item]:
        return self.end()

    def _ended(self, of: str) -> list[Item]:
        """The items of a guest's output, which is complete."""
        output = self._outputs.pop(of, None)
        if output is None or not any(name in output.figures for name in _ENOUGH):
            return []
        if output.headed and len(output.figures.keys() - {"error-desc"}) == 1:
            # Others log a status as well.
            return []
        if output.figures.keys() >= {"ram.dirty-sync-count", "ram.pages-per-second"}:
            # QEMU leaves out a rate of 0 if it shows these two; otherwise somebody else may have left the rate out.
            output.figures.setdefault("ram.dirty-pages-rate", 0)
        doubts = _without_lost_point(output.figures, output.rounding, of)
        if output.misread:
            doubts.append(Remark(f"an image was misread, correct it: {', '.join(output.misread)}", of))
        answer, rounding = nested(output.figures), output.rounding
        reading = Reading(answer, output.stamp, rounding=rounding, of=of, arrived_s=output.arrived_s)
        is_asked, self._is_asked = self._is_asked, False
        return [] if self._repeats.setdefault(of, Repeats()).again(reading, is_asked=is_asked) else [*doubts, reading]

    def _something_else(self, line: Line) -> Sequence[Item | Line] | None:
        if self._is_blocked and line.text:
            self._is_blocked = False
            return [Remark(f"QEMU says that this guest cannot be migrated: {line.text}")]
        self._is_blocked = line.text == _BLOCKED
        if "info migrate" in line.text:
            is_prompt = _COMMAND.fullmatch(line.text) is not None
            ended = [*self.end()] if is_prompt else []
            self._is_asked = True
            if is_prompt:
                return ended
        if self._is_blocked:
            return [*self.end()]
        if match := _STATE.fullmatch(line.text):
            return [*self.end(), *filter(None, [Happening.of_state(match[1], line.stamp)])]
        if not self._outputs or not line.text or AROUND.fullmatch(line.text):
            return None
        of = guest_of(line.message)
        output = self._outputs.get(of)
        if output is None:
            return None
        if _SOCKETS.fullmatch(line.text):
            if line.text.endswith("["):
                output.figures["socket-address"] = []
            return []
        output.strange += 1
        if output.strange < _PATIENCE and not _PROMPT.match(line.text) and not line.text.startswith(_BEGINS):
            return None
        return [*self._ended(of), line]


def _without_lost_point(figures: dict[str, Any], rounding: dict[str, Interval], of: str) -> list[Item]:
    """Remove a throughput that lost its decimal point, as in text read from an image: QEMU prints two decimals."""
    interval = rounding.get("ram.mbps")
    if interval is None or interval.width < 1:
        return []
    sent_bytes, total_ms = figures.get("ram.transferred", 0), figures.get("total-time", 0)
    mean_mbps = sent_bytes / total_ms / BYTES_PER_MS_PER_MBPS if total_ms else 0
    if figures["ram.mbps"] <= mean_mbps * _MOST_OF_MEAN:
        return []
    del rounding["ram.mbps"]
    mbps = figures.pop("ram.mbps")
    why = "without the two digits behind the point that QEMU prints, and is not used"
    return [Remark(f"a throughput of {mbps:.10g} mbps is shown {why}", of)]


def nested(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Nest figures whose names have a part's name and a dot before them."""
    answer: dict[str, Any] = {}
    for name, value in figures.items():
        part, _, inner = name.rpartition(".")
        (answer.setdefault(part, {}) if part else answer)[inner] = value
    return answer


def _figures(text: str, within: bool) -> Figures:
    """The figures of one line, each with the interval that rounding allows; empty if it is no line of this form."""
    if not text or text[0] in "{[\"'":
        return {}
    if match := _STATUS.fullmatch(text):
        if match["status"] not in STATUSES:
            return {}
        has_why = match["why"] and match["status"] != "active"
        return {"status": (match["status"], None), **({"error-desc": (match["why"], None)} if has_why else {})}
    named = figure_in(text, within)
    return _of_group(text) if named is None else named


def _of_group(text: str) -> Figures:
    match = _GROUP.fullmatch(text)
    if match is None:
        text = _REMARK.sub("", text)
        if "miss_rate=" in text:
            return _pairs(text, XBZRLE_REST)
        begin = next((begin for begin in GOES_ON if text.startswith(begin)), None)
        return _pairs(text, GOES_ON[begin], in_kib=True) if begin and ":" not in text else {}
    label, unit, rest = match[1].lower(), match[2] or "", _REMARK.sub("", match[3])
    if label in ("throughput", "bandwidth") and unit.lower() == "mbps":
        number = re.match(SEPARATED, rest)
        fraction = broken_number(number[0]) if number else None
        return {} if fraction is None else {"ram.mbps": with_fraction(fraction)}
    if label == "remaining" and re.fullmatch(r"[\d.e+]+ ?(?:[KMGTPE]i)?B", rest):
        return _pairs(f"remaining={rest}", {"remaining": "remaining"})
    if label == "cpu throttle":
        return {"cpu-throttle-percentage": (int(rest), None)} if rest.isdecimal() else {}
    names = GROUPS.get(label)
    return _pairs(rest, names, in_kib=unit in KIB) if names is not None else {}


def _pairs(text: str, names: Mapping[str, str], *, in_kib: bool = False) -> Figures:
    figures: dict[str, tuple[Any, Interval | None]] = {}
    for match in _PAIR.finditer(text):
        name, number = names.get(match[1]), match[2]
        if name is None or number.endswith("nan"):
            continue
        if match[4] or in_kib:
            factor = UNITS[(match[3] or "K" * in_kib)[:1]]
            interval = cut(float(number), factor) if in_kib else to_three_digits(number, factor)
            if name == "ram.page-size":
                interval = Interval(float(number) * factor, float(number) * factor)
            figures[name] = (whole(float(number) * factor), interval)
        elif name not in SIZES:
            # A size without a unit was cut off there.
            figures[name] = (whole(float(number)), None)
    return figures
