# SPDX-License-Identifier: GPL-2.0-or-later
"""The time and the prefix that logs put before a message."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..trace.reading import Stamp

_MONTHS = (
    *("jan ene gen янв", "feb fév fev фев", "mar mär mrt mrz мар", "apr avr abr апр", "may mai mei mag мая май"),
    *("jun juin giu июн", "jul juil lug июл", "aug aoû ago авг", "sep set сен", "oct okt out ott окт", "nov ноя"),
    "dec déc dez dic дек",
)
"""How the names of each month begin in English, German, French, Spanish, Italian, Portuguese, Dutch and Russian."""
_CLOCK = r"(?P<hour>[012]\d):(?P<minute>[0-5]\d):(?P<second>[0-6]\d)(?:[.,](?P<part>\d{1,9}))?"
_ZONE = r"\s?(?P<zone>Z|[+-]\d{2}:?\d{2})?"
_STAMP = re.compile(
    rf"""[\[("']?(?:
        (?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[ T]{_CLOCK}{_ZONE}
      | (?P<name>[^\W\d_]{{3,5}}\.?|[01]?\d[月월])\s+(?P<date>\d{{1,2}})\s+{_CLOCK.replace("?P<", "?P<n")}
      | [A-Z][a-z]{{2}}\s(?P<wname>[A-Z][a-z]{{2}})\s+(?P<wday>\d{{1,2}})\s{_CLOCK.replace("?P<", "?P<w")}
        \s(?P<wyear>\d{{4}})(?!\S)
      | (?P<kname>[A-Z][a-z]{{2}})\s(?P<kday>\d{{1,2}}),\s(?P<kyear>\d{{4}})\s@\s{_CLOCK.replace("?P<", "?P<k")}
      | \d{{1,2}}[/.]\d{{1,2}}[/.]\d{{4}},?\s+{_CLOCK.replace("?P<", "?P<s").replace("[012]", "[012]?")}
        (?:\s?(?P<half>[AP])M)?(?=\s)
      | (?P<since>\d{{1,12}}\.\d{{3,9}})(?=[:\]\s])
      | {_CLOCK.replace("?P<", "?P<c")}(?=\s)
    )[\])"']?:?\s*""",
    re.VERBOSE,
)
_DATED = re.compile(
    r"(\d{4}[-/]\d\d[-/]\d\d[ T][012]\d:[0-5]\d:[0-6]\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d{2}:?\d{2})?[\])\"']?:?\s*"
)
"""The first kind of these with nothing before it, as in most logs."""
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d")
_MONITOR = re.compile(r"\(monitor ([^()\s]+)\) ")
"""Avocado-VT's prefix of lines about a monitor."""
_LATEST_S = 1e11
"""In the year 5138."""
NO_YEAR = 1972
"""A leap year, assumed if a log writes no year."""
DAY_S = 86_400
YEAR_S = 366 * DAY_S
_HEAD = re.compile(
    r"\d+: (?:debug|info|warning|error) : \S+:\d+ : "
    r"|(?:[\w.-]+ +){1,2}L\d+ +[A-Z]+ *\| ?"
    r"|(?:[\w./-]+(?:\[\d+\])? )?[\w./-]+\[\d+\]: "
    r"|(?:[\w.-]+ +)?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITI?)(?: *[|:]| *\]) ?"
    r"|[0-9a-f]{2}[EO][ +]"
)
"""libvirt; Avocado and similar programs; the journal and syslog; Python's logging; GitLab's runners."""
_Whole = TypeVar("_Whole", int, NDArray[np.int64])
_NO_HEADS = frozenset("{[\"'(")
"""No prefix begins with one of these."""


def parted(text: str) -> tuple[Stamp | None, str]:
    """The time at the start of a line, if there is one, and the message after it."""
    if match := _DATED.match(text):
        second, part, zone = match.groups()
        fraction = float(f"0.{part}") if part else 0.0
        return Stamp(second_s(second, zone) + fraction, 10.0 ** -len(part or "")), _without_head(text[match.end() :])
    match = None if text.startswith("{") else _STAMP.match(text)
    if match is None or not match.end():
        return None, _without_head(text)
    stamp = _stamp(match.groupdict())
    if stamp is None or match["shour"]:
        return stamp, text  # Behind a date of figures, which others log as well, forms look for heads themselves.
    return stamp, _without_head(text[match.end() :])


class Calendar:
    """Continues times past new year and midnight, for a log that writes no year or no date."""

    def __init__(self) -> None:
        self._last: Stamp | None = None
        self._passed_s = 0.0

    def dated(self, stamp: Stamp) -> Stamp:
        """The stamp of the next line, moved by whole periods so that it is not half a period or more before the last
        one.
        """
        last, self._last = self._last, stamp
        if not stamp.period_s:
            return stamp
        if last is not None and last.period_s == stamp.period_s:
            if stamp.t_s < last.t_s - stamp.period_s / 2:
                self._passed_s += stamp.period_s
            if (last.t_s // DAY_S, stamp.t_s // DAY_S) == _NO_LEAP_DAY:
                self._passed_s -= DAY_S
        return replace(stamp, t_s=stamp.t_s + self._passed_s)


def stamp_within(text: str) -> Stamp | None:
    """The first date with a time anywhere in `text`, for lines that have something before the log's own time."""
    match = _DATE.search(text)
    return stamp_of(text[match.start() :]) if match else None


def is_time(value: object) -> TypeGuard[float]:
    """Whether a value is a number of seconds that may be a time."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LATEST_S


def stamp_of(text: str) -> Stamp | None:
    """The time in `text`."""
    return parted(text)[0]


def monitor_of(message: str) -> str:
    """The monitor in a line of Avocado-VT's log, `GUEST.MONITOR`, before 2017 `MONITOR`; '' if there is none."""
    match = _MONITOR.match(message)
    return match[1] if match else ""


def guest_of(message: str) -> str:
    """The guest of that monitor; '' if not shown."""
    return monitor_of(message).rpartition(".")[0]


def _without_head(text: str) -> str:
    if text[:1] in _NO_HEADS:
        return text
    match = _HEAD.match(text)
    return text[match.end() :] if match else text


class _Date(NamedTuple):
    """The groups of one layout of a date, and what begins the names of the groups of its time."""

    prefix: str
    day: str
    month: str
    year: str


_DATES = (
    _Date("", "day", "month", "year"),
    _Date("n", "date", "name", ""),
    _Date("w", "wday", "wname", "wyear"),
    _Date("k", "kday", "kname", "kyear"),  # Kibana's.
)


def _day(fields: Mapping[str, str | None], date: _Date) -> int | None:
    """The day since 1970; None if there is no such month."""
    month = fields[date.month] or ""
    number = int(month) if month.isdecimal() else month_of(month)
    year = int(fields[date.year] or 0) if date.year else NO_YEAR
    return day_number(year, number, int(fields[date.day] or 0)) if 0 < number <= 12 else None


@lru_cache(maxsize=64)
def month_of(name: str) -> int:
    """The month whose name, or its abbreviation, is this in one of several languages; 0 if none is."""
    if name[:-1].isdecimal():
        return int(name[:-1])
    lower = name.lower()
    return next((number for number, names in enumerate(_MONTHS, 1) if lower.startswith((*names.split(),))), 0)


def _stamp(fields: dict[str, str | None]) -> Stamp | None:
    if (since := fields["since"]) is not None:
        return Stamp(float(since), 10.0 ** -len(since.partition(".")[2]))
    date = next((date for date in _DATES if fields[date.day] is not None), None)
    prefix, day = ("s" if fields["shour"] else "c", 0) if date is None else (date.prefix, _day(fields, date))
    if day is None:
        return None
    hour, minute, second = (int(fields[prefix + name] or 0) for name in ("hour", "minute", "second"))
    if fields["half"] is not None:
        hour = hour % 12 + 12 * (fields["half"] == "P")
    t_s = day * DAY_S + hour * 3600 + minute * 60 + second
    part = fields[prefix + "part"]
    fraction = float(f"0.{part}") if part else 0.0
    period_s = DAY_S if date is None else 0 if date.year else YEAR_S
    return Stamp(t_s + fraction - zone_s(fields["zone"]), 10.0 ** -len(part or ""), period_s)


@lru_cache(maxsize=256)
def second_s(text: str | bytes, zone: str | bytes | None) -> float:
    """The time of a date with hours, minutes and seconds; cached because other lines have the same."""
    day = day_number(int(text[:4]), int(text[5:7]), int(text[8:10]))
    behind_s = zone_s(zone.decode() if isinstance(zone, bytes) else zone)
    return day * DAY_S + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19]) - behind_s


def seconds_s(texts: Sequence[bytes], zone: str | None) -> NDArray[np.int64]:
    """The same for many texts in one zone; each text has exactly the needed digits."""
    letters = np.frombuffer(b"".join(texts), np.uint8).reshape(len(texts), -1)
    digits = letters.astype(np.int64) - ord("0")

    def number(begin: int, end: int) -> NDArray[np.int64]:
        value: NDArray[np.int64] = digits[:, begin:end] @ (10 ** np.arange(end - begin - 1, -1, -1))
        return value

    of_day = number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19)
    return day_number(number(0, 4), number(5, 7), number(8, 10)) * DAY_S + of_day - zone_s(zone)


def zone_s(zone: str | None) -> int:
    """How far a zone such as +02:00 or -0530 is ahead of UTC, in seconds; 0 for Z and for none."""
    if zone is None or zone == "Z":
        return 0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)


def day_number(year: _Whole, month: _Whole, day: _Whole) -> _Whole:
    """Days since 1 January 1970, in the Gregorian calendar."""
    year = year - (month <= 2)
    since_march = (month + 9) % 12
    of_era = year * 365 + year // 4 - year // 100 + year // 400
    return of_era + (153 * since_march + 2) // 5 + day - 719_469


_NO_LEAP_DAY = (day_number(NO_YEAR, 2, 28), day_number(NO_YEAR, 3, 1))
"""If one of these days directly follows the other, the year has no 29th of February."""
