# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that show only when something was: what `date`, `uptime` and the first line of `watch` print.

Sources: `date` of coreutils, whose layout is the locale's date_fmt (glibc, localedata/locales), with -I, -R or a format
such as `+%s`; watch.c of procps.
"""

import re
from dataclasses import replace

from ..trace.reading import Stamp
from .stamps import DAY_S, NO_YEAR, YEAR_S, day_number, month_of, parted, zone_s

COMMAND_S = 1.0
"""About the longest time that the command below such a line needs to take the figures."""
_LONGEST = 160
_EPOCH = re.compile(r"(1\d{9})(?:[.,]?(\d{3}|\d{6}|\d{9}))?")
_WATCH = re.compile(r"Every \d+[.,]\d+s: .*\s{2,}(?:[\w.-]+: )?([^\s:]+ .{15,60})")
_UPTIME = re.compile(r"(\d\d:\d\d:\d\d) up .*load average: .*")
_LABEL = re.compile(r"[-=#*+<>~|\[(\s]*(?:(?:date|(?:local )?time|timestamp|now|at)\s?[:=]?\s+)?", re.IGNORECASE)
_ENDS = "-=#*+<>~|[]() \t,;:"
_WORD = r"[^\W\d_]{1,12}\.?"
_ALONE = re.compile(
    rf"""(?:(?:{_WORD},?\s+)?(?:
        (?P<c_month>{_WORD})\s+(?P<c_day>\d{{1,2}})
      | (?P<month_day>\d{{1,2}})\.?\s+(?:de\s+)?(?P<month>{_WORD})(?:\s+(?:de\s+)?(?P<year>\d{{4}}))?(?:\s+г\.)?
      ),?\s+
      | (?P<number_year>\d{{4}})(?:[-/.]|[年년]\s*|\.\s)(?P<number_month>\d{{1,2}})(?:[-/.]|[月월]\s*|\.\s)
        (?P<number_day>\d{{1,2}})[日일T.]?\s*(?:\(?[^\W\d]{{1,3}}\)?\s+)?
      | \d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d\d),?\s+
    )?
    (?P<hour>\d\d?):(?P<minute>[0-5]\d):(?P<second>[0-6]\d)(?:[.,](?P<part>\d{{1,9}}))?
    (?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?
    (?:,?\s?\(?(?:UTC|GMT)?(?P<zone>[+-]\d\d(?::?\d\d)?)\)?|,?\s\(?(?P<zone_name>[A-Z]{{1,5}})\)?)?
    (?:\s(?P<c_year>\d{{4}}))?""",
    re.VERBOSE,
)
_SUMMER = frozenset(("CEST", "EEST", "WEST", "MESZ", "BST", "EDT", "CDT", "MDT", "PDT", "AEDT", "NZDT", "IDT"))
"""Zones an hour ahead of those that follow them in autumn; nothing else about a named zone matters within a text."""


def date_line(text: str) -> Stamp | None:
    """The time that a line shows if it shows nothing else; what is below was taken within `tick_s` from then."""
    if not text or len(text) > _LONGEST:
        return None
    if match := _EPOCH.fullmatch(text):
        part = match[2] or ""
        stamp: Stamp | None = Stamp(float(f"{match[1]}.{part or 0}"), 10.0 ** -len(part))
    else:
        stamp = _alone(text) if text.count(":") >= 2 else None
    return None if stamp is None else replace(stamp, tick_s=stamp.tick_s + COMMAND_S, is_above=True)


def _alone(text: str) -> Stamp | None:
    if match := _WATCH.fullmatch(text) or _UPTIME.fullmatch(text):
        text = match[1]
    label = _LABEL.match(text)
    text = text[label.end() if label else 0 :].strip(_ENDS)
    stamp, rest = parted(text)
    if stamp is not None and not rest:
        return stamp
    match = _ALONE.fullmatch(text)
    if match is None or int(match["hour"]) > 23:
        return None
    shown = match["c_month"] or match["month"] or match["number_month"]
    day = _day(match) if shown else None
    if shown and day is None:
        return None
    hour = int(match["hour"]) if not match["half"] else int(match["hour"]) % 12 + 12 * (match["half"] in "Pp")
    part = match["part"] or ""
    t_s = hour * 3600 + int(match["minute"]) * 60 + int(match["second"]) + float(f"0.{part or 0}") - _ahead_s(match)
    period_s = DAY_S if day is None else 0 if _year(match) else YEAR_S
    return Stamp((day or 0) * DAY_S + t_s, 10.0 ** -len(part), period_s)


def _year(match: re.Match[str]) -> str | None:
    return match["year"] or match["c_year"] or match["number_year"]


def _day(match: re.Match[str]) -> int | None:
    """The day since 1970; None if there is no such day, or if the month's name is not known."""
    name = match["c_month"] or match["month"] or ""
    month = int(match["number_month"] or month_of(name))
    of_month = int(match["c_day"] or match["month_day"] or match["number_day"])
    if month not in range(1, 13) or of_month not in range(1, 32):
        return None
    return day_number(int(_year(match) or NO_YEAR), month, of_month)


def _ahead_s(match: re.Match[str]) -> int:
    zone = match["zone"]
    if zone is None:
        return 3600 * (match["zone_name"] in _SUMMER)
    return zone_s(zone if len(zone) > 3 else f"{zone}00")
