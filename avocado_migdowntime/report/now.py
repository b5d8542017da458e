# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a migration, in rows for a screen and in one line."""

from collections.abc import Sequence

from ..basics.printable import in_a_line
from ..basics.units import rate_in_words
from ..prediction.advice import Finding
from ..prediction.outlook import Outlook
from ..verdict.downtime import Downtime
from ..watching.histories import Course
from ..watching.now import Now
from .advice import down_in_words
from .sparkline import BARS, sparkline

LABEL_COLUMNS = 11
"""Columns that a row's label takes."""
_FIGURE_COLUMNS = 15
_LEAST_SPARKS = 5


def rows(now: Now, columns: int, signs: str = BARS) -> Sequence[tuple[str, str]]:
    """Labels with their texts, most important first; histories fit into `columns`."""
    ram, histories = now.ram, now.histories
    sparks = columns - LABEL_COLUMNS - _FIGURE_COLUMNS
    told_status = f"{now.status}, pass {now.number}" if now.number is not None else now.status
    entries = [("status", f"{told_status}, {now.t_s:.1f} s")]
    if ram is not None:
        entries += [
            ("left", _figure(f"{ram.remaining_bytes / 1e6:.1f} MB", histories.remaining_bytes, sparks, signs)),
            (
                "bandwidth",
                _figure(rate_in_words(ram.wire_bytes_per_ms), histories.bandwidth_bytes_per_ms, sparks, signs),
            ),
        ]
    if now.dirty_bytes_per_ms is not None:
        dirtied = _figure(rate_in_words(now.dirty_bytes_per_ms), histories.dirty_bytes_per_ms, sparks, signs)
        entries.append(("dirtied", dirtied))
    if now.reported_ms is not None:
        of_before = "" if now.renewed is not False else ", not computed in this pass yet"
        entries.append(("QEMU says", f"{now.reported_ms:.0f} ms{of_before}"))
    if now.right_ms is not None:
        entries.append(("expected", f"{_right(now)} (left at the last sync ÷ bandwidth)"))
    if now.ended:
        entries += _end(now)
    elif now.limit_ms is not None:
        entries.append(("limit", f"{now.limit_ms:.10g} ms {_does(now.outlook)}"))
    if not now.ended:
        entries.append(("set", _advised(now)))
    entries.append(("verdict", f"{now.verdict.verdict.upper()}: {now.verdict.reasons[0]}"))
    entries += [("reason", reason) for reason in now.advice.reasons[:1] if not now.ended]
    if now.subject:
        entries.append(("tested", now.subject))
    return [(label, in_a_line(text)) for label, text in entries]


def line(now: Now) -> str:
    """The same in one line, for a log."""
    ram = now.ram
    parts = [f"{now.t_s:.1f} s {now.status}{f' pass {now.number}' if now.number is not None else ''}"]
    if ram is not None:
        parts[0] += f": {ram.remaining_bytes / 1e6:.1f} MB left, {rate_in_words(ram.wire_bytes_per_ms)} sent"
    if now.dirty_bytes_per_ms is not None:
        parts[0] += f", {rate_in_words(now.dirty_bytes_per_ms)} dirtied"
    if now.reported_ms is not None and now.renewed:
        parts.append(f"QEMU says {now.reported_ms:.0f} ms")
    if now.right_ms is not None:
        parts.append(f"expected {_right(now)}")
    if now.ended:
        parts += [f"{label} {text}" for label, text in _end(now)]
    elif now.outlook is not None:
        parts.append(f"limit {now.limit_ms:.10g} ms {_does(now.outlook)}")
    if now.advice.limit_ms is not None and not now.ended:
        parts.append(f"set {now.advice.limit_ms} ms")
    return in_a_line("; ".join(parts))


def _figure(text: str, course: Course, sparks: int, signs: str) -> str:
    bars = sparkline(course, sparks, signs) if sparks >= _LEAST_SPARKS else ""
    return f"{text:<{_FIGURE_COLUMNS - 1}} {bars}".rstrip()


def _right(now: Now) -> str:
    assert now.right_ms is not None
    low, high = f"{now.right_ms.low:.0f}", f"{now.right_ms.high:.0f}"
    return f"{low} ms" if low == high else f"{low} to {high} ms"


def _does(outlook: Outlook | None) -> str:
    if outlook is None:
        return "is set; its effect is not known yet"
    probably = "" if outlook.converges is outlook.likely else "probably "
    return f"{probably}ends it{_when(outlook)}" if outlook.likely else f"{probably}never ends it"


def _when(outlook: Outlook) -> str:
    if outlook.in_ms is None or outlook.down_ms is None:
        return ""
    soon = f"in about {outlook.in_ms / 1000:.0f} s" if outlook.in_ms >= 1000 else "within a second"
    return f" {soon}; the guest is then down for about {outlook.down_ms:.0f} ms, less if max-bandwidth limits QEMU"


def _advised(now: Now) -> str:
    advice = now.advice
    if advice.limit_ms is None:
        return "no downtime-limit ends it" if advice.finding is Finding.NONE else "not known yet"
    span = f", between {advice.range_ms.low:.0f} and {advice.range_ms.high:.0f} ms" if advice.range_ms else ""
    when = _when(now.advised) if now.advised is not None else ""
    if not when and advice.down is not None:
        return f"{advice.limit_ms} ms downtime-limit{span}; the guest is down for {down_in_words(advice.down)}"
    return f"{advice.limit_ms} ms downtime-limit{span}{f'; it ends the migration{when}' if when else ''}"


def _end(now: Now) -> list[tuple[str, str]]:
    down = now.verdict.downtime
    limit = f", under a downtime-limit of {now.limit_ms:.10g} ms" if now.limit_ms is not None else ""
    return [("downtime", f"{_down(down)}{limit}")] if down is not None else []


def _down(down: Downtime) -> str:
    parts = [f"{down.qemu_ms:.0f} ms according to QEMU"] if down.qemu_ms is not None else []
    parts += [f"{down.events_ms:.0f} ms from STOP to RESUME"] if down.events_ms is not None else []
    return ", ".join(parts) or "unknown"
