# SPDX-License-Identifier: GPL-2.0-or-later
"""The log of oVirt's vdsm on the source host.

Source: vdsm, lib/vdsm/virt/migration.py, of 2011 to 2026. What it calls MB are MiB, truncated. Until August 2020 the
speed is in MiB/s and called MBps; since then it is in binary megabits per second (an eighth of MiB/s) and called Mbps.
Zero pages are a number of pages, whatever unit follows; a dirty rate or an iteration of -1 means not known. Seconds are
whole before vdsm ran on Python 3, and exact to a millisecond since. Until 2016 it logs only the share that is done, and
the remaining amount if that grew. oVirt's engine logs the real downtime of a completed migration.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..basics.interval import Interval
from ..basics.units import MIB
from ..trace.reading import Item, Setting
from .figures import MEGABIT, NUMBER, cut_off, reading_of
from .form import Line
from .log import Log
from .log_numbers import Numbers, Statement
from .stamps import stamp_within

PAGE_BYTES = 4096
_FOUR_KIB = {"ram.page-size": "4 KiB, as on each architecture that oVirt supports"}
_BITS_OF_SPEED = {"MBps": 8 * MIB, "Mbps": MIB}
_ABOUT_MIGRATION = re.compile(
    r"Migration |owntime|max bandwidth to|seconds to complete|to migrate|Aborting migration|be aborted"
)
_OF = re.compile(r"vmI[dD]['\"]?[=:] ?u?['\"`]?([0-9a-fA-F-]{8,36})")
_PROGRESS = re.compile(
    rf"Migration Progress: (?P<elapsed>{NUMBER}(?:\.\d{{1,9}})?) seconds elapsed, \d+% of data processed"
    rf"(?:, total data: (?P<total>{NUMBER})MB, processed data: (?P<sent>{NUMBER})MB,"
    rf" remaining data: (?P<left>{NUMBER})MB, transfer speed (?P<speed>{NUMBER})(?P<unit>M[Bb]ps)"
    rf"(?:, zero pages: (?P<zero>{NUMBER})(?:MB)?(?=,))?"
    rf"(?:, compressed: (?P<compressed>{NUMBER})MB)?(?:, dirty rate: (?P<dirty>-?{NUMBER})(?=,))?"
    rf"(?:, memory iteration: (?P<iteration>-?{NUMBER})(?!\d))?)?"
)
_STALLING = re.compile(rf"Migration stalling: remaining \(({NUMBER})MiB\) > lowmark \(\d+MiB\)")
_LIMIT = re.compile(r"[Ss]etting (?:migration )?downtime to (\d{1,9})\b")
_SPEED_LIMIT = re.compile(r"setting migration max bandwidth to (\d{1,9})\b")
_SCHEDULE = re.compile(r"['\"]init['\"]: ?\[")
_SET_DOWNTIME = re.compile(
    r"['\"]params['\"]: ?\[u?['\"]?(\d+)['\"]?\], u?['\"]name['\"]: ?u?['\"]setDowntime"
    r"|['\"]name['\"]: ?u?['\"]setDowntime['\"], u?['\"]params['\"]: ?\[u?['\"]?(\d+)"
)
_ENGINE = re.compile(r"Migration completed \(VM: ([^,]{1,255}),.{0,999}Actual downtime: (?:(\d{1,9}) ?ms|\(?N/A\)?)\)")
_GIVEN_UP = re.compile(r"Aborting migration|Migration is stuck: |The migration will be aborted")
_POSTCOPY = re.compile(r"Migration (?:switched to|entered) post-copy mode")
_COMPLETED = re.compile(r"igration took .{0,99}seconds to complete")


_ENDS = (b"igration took", b"Aborting migration", b"Migration is stuck", b"migration will be aborted")


class VdsmLog(Log):
    """Reads a log in which any number of guests are migrated, at the same time or one after another."""

    NAME = "a log of oVirt's vdsm"
    NEEDLES = (b"emain", b"owntime")
    ALSO = (
        b"Migration Progress: ",
        b"Migration switched to post-copy",
        b"Migration entered post-copy",
        b"migration max bandwidth",
        b"Failed to migrate",
        *_ENDS,
    )
    CUT = re.compile("Migration (?:Progress:|is stuck|stalling)|seconds to complete")
    WHOLE = (
        re.compile(rf"{_PROGRESS.pattern.partition('(?:, zero')[0]}).{{0,999}}memory iteration: -?\d"),
        re.compile(r"Migration Progress: \d+ seconds elapsed, \d+% of data processed(?:, \d+% of mem processed)?$"),
        _STALLING,
        re.compile("Migration is stuck: |took .{0,99} seconds to complete"),
    )
    LACKS = "no expected downtime and no pages"
    INSTEAD = "`virsh -r domjobinfo VM` on the source host, repeatedly"

    def __init__(self) -> None:
        super().__init__()
        self._remaining: dict[str, Interval] = {}
        self._greatest_ms: dict[str, float] = {}

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        text = line.text
        if not _ABOUT_MIGRATION.search(text):
            return None
        if line.stamp is None:
            line = replace(line, stamp=stamp_within(text))
        numbers = Numbers(text)
        of = _of(numbers)
        if match := _PROGRESS.search(text):
            return self._progress(line, of, match)
        if match := _STALLING.search(text):
            self._remaining[of] = cut_off(float(match[1]), MIB)
            return []
        if _SCHEDULE.search(text) and "setDowntime" in text:
            return self._schedule(line, of)
        if match := _LIMIT.search(text):
            return [Setting({"downtime-limit": float(match[1])}, line.stamp, changed=True, of=of)]
        if match := _SPEED_LIMIT.search(text):
            return [Setting({"max-bandwidth": float(match[1]) * MIB}, line.stamp, changed=True, of=of)]
        if match := _ENGINE.search(text):
            down = {"downtime": float(match[2])} if match[2] else None
            return self.looks.ends(f"VM {match[1]}", "completed", line.stamp, down)
        if not of and self.looks[of] is None:
            return None
        if _GIVEN_UP.search(text):
            return self.looks.ends(of, "cancelled", line.stamp)
        if _POSTCOPY.search(text):
            return self.looks.postcopy(of, line.stamp)
        if _COMPLETED.search(text):
            return self.looks.ends(of, "completed", line.stamp)
        return self.looks.ends(of, "failed", line.stamp) if "Failed to migrate" in text else None

    def end(self) -> Iterable[Item]:
        for of, greatest_ms in self._greatest_ms.items():
            others = {last.of for last in self.looks if last.of != of}
            yield from self.looks.compared(greatest_ms, "that vdsm was told to raise the downtime-limit to", others)

    def statement(self, numbers: Numbers) -> Statement | None:
        match = _PROGRESS.search(numbers.text)
        of = _of(numbers)
        if match is None or match["total"] is None or of in self._remaining:
            return None
        return Statement(
            "active", {"total-time": _elapsed_ms(numbers, match), **_figures(numbers, match)}, of, {}, _FOUR_KIB
        )

    def _progress(self, line: Line, of: str, match: re.Match[str]) -> Sequence[Item]:
        remaining = self._remaining.pop(of, None)
        statement = self.statement(Numbers(match.string))
        if statement is not None:
            figures = {**statement.figures}
            self._without_what_is_cut_off(figures, of)
            statement = replace(statement, figures=figures)
        elif remaining is None:
            return []
        else:
            statement = Statement(
                "active", {"total-time": _elapsed_ms(Numbers(match.string), match), "ram.remaining": remaining}, of
            )
        return [self.looks.active(reading_of(statement, line.stamp))]

    def _without_what_is_cut_off(self, figures: dict[str, Any], of: str) -> None:
        """Drop the iteration if it is cut off: it ends the line, and is incomplete if it is less than before."""
        last = self.looks[of]
        before = last.answer if last is not None else {}
        iteration = figures["ram.dirty-sync-count"]
        if iteration is None or "total-time" not in before or iteration >= before["ram"].get("dirty-sync-count", 0):
            return
        elapsed = figures["total-time"]
        if (elapsed.high if isinstance(elapsed, Interval) else elapsed) >= before["total-time"]:
            figures["ram.dirty-sync-count"] = None

    def _schedule(self, line: Line, of: str) -> Sequence[Item]:
        """The downtime-limits that vdsm was told to set: one at the start, and others after further passes."""
        if of in self._greatest_ms:
            return []
        first, _, later = line.text[_begin(line.text) :].partition("stalling")
        begins, raises = _limits_ms(first), _limits_ms(later or line.text[: _begin(line.text)])
        self._greatest_ms[of] = max([*begins, *raises], default=0.0)
        return [Setting({"downtime-limit": begins[-1]}, line.stamp, of=of)] if begins else []


def _of(numbers: Numbers) -> str:
    match = _OF.search(numbers.text)
    return f"VM {numbers.words(match.span(1))}" if match else ""


def _elapsed_ms(numbers: Numbers, match: re.Match[str]) -> Any:
    elapsed_s = numbers[match.span("elapsed")]
    return elapsed_s * 1000 if "." in match["elapsed"] else cut_off(elapsed_s, 1000)


def _figures(numbers: Numbers, match: re.Match[str]) -> Mapping[str, Any]:
    def number(name: str) -> Any:
        return None if (match[name] or "").startswith("-") else numbers[match.span(name)]

    sizes = {"ram.total": "total", "ram.transferred": "sent", "ram.remaining": "left"}
    speed = cut_off(number("speed"), _BITS_OF_SPEED[match["unit"]] / MEGABIT)
    return {
        **{name: cut_off(number(size), MIB) for name, size in sizes.items()},
        "ram.page-size": PAGE_BYTES,
        "ram.duplicate": number("zero"),
        "ram.dirty-pages-rate": number("dirty"),
        "ram.dirty-sync-count": number("iteration"),
        "ram.mbps": speed,
    }


def _begin(text: str) -> int:
    match = _SCHEDULE.search(text)
    return match.start() if match else 0


def _limits_ms(text: str) -> list[float]:
    return [float(one or other) for one, other in _SET_DOWNTIME.findall(text)]
