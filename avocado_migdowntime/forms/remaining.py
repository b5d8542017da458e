# SPDX-License-Identifier: GPL-2.0-or-later
"""Describes, for each migration in a log, what was left to send at its last line with figures."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from ..basics.interval import Interval
from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS, GREATEST_MBPS
from ..trace.ram import ran_over
from ..trace.reading import Item, Reading, Remark, Stamp
from .figures import reading

POSTCOPY = "postcopy-active"
_NARROW = 0.02
"""A figure known to within this share is given as one number."""
_BEYOND = 1.01
"""Only after the first pass do sent and remaining bytes exceed all of RAM by this factor."""


class LastLooks:
    """Remembers each migration's last line with figures, until that migration ends."""

    def __init__(self) -> None:
        self._last: dict[str, Reading] = {}
        self._ended: set[str] = set()
        self._in_postcopy: set[str] = set()

    def __getitem__(self, of: str) -> Reading | None:
        return self._last.get(of)

    def active(self, look: Reading) -> Reading:
        """Remember the `look` at an active migration; return it with the postcopy status if postcopy has begun.

        Postcopy may show in its figures alone.
        """
        if look.answer["status"] == POSTCOPY:
            self._in_postcopy.add(look.of)
        elif look.of in self._in_postcopy:
            look = replace(look, answer={**look.answer, "status": POSTCOPY})
        self._last[look.of] = look
        self._ended.discard(look.of)
        return look

    def is_in_postcopy(self, of: str) -> bool:
        """Whether postcopy has begun."""
        return of in self._in_postcopy

    def postcopy(self, of: str, stamp: Stamp | None, failed: bool = False) -> Sequence[Item]:
        """The items for the start of postcopy, or for its failure to start."""
        if failed:
            self._in_postcopy.discard(of)
            return []
        self._in_postcopy.add(of)
        return [reading(POSTCOPY, {}, stamp, of)]

    def ends(
        self,
        of: str,
        status: str,
        stamp: Stamp | None,
        figures: Mapping[str, Any] | None = None,
        limit_ms: float | None = None,
    ) -> Sequence[Item]:
        """The items for the first message that a migration ended; `limit_ms` is the limit in force then."""
        if of in self._ended:
            return []
        self._ended.add(of)
        self._in_postcopy.discard(of)
        last = self._last.pop(of, None)
        end = reading(status, figures or {}, stamp or (last.stamp if last else None), of)
        remainder = left_in_words(last) if last else ""
        if remainder:
            words = f"at the last line before that {remainder}"
            words += "" if limit_ms is None else f", under a downtime-limit of {limit_ms:.10g} ms"
        else:
            words = "" if limit_ms is None else f"the downtime-limit was {limit_ms:.10g} ms at its end"
        return [Remark(words, of), end] if words else [end]

    def __iter__(self) -> Iterator[Reading]:
        """The last lines of the migrations that have not ended."""
        return iter(self._last.values())

    def compared(self, limit_ms: float, whose: str, besides: Container[str] = ()) -> Sequence[Item]:
        """Remarks that compare what was left of unended migrations with a downtime-limit; `whose` describes the limit.

        Migrations in `besides` are left out.
        """
        remarks = []
        for of, last in self._last.items():
            if of in besides or of in self._in_postcopy:
                continue
            took, remainder = left_ms(last), left_in_words(last)
            if took is None or not past_first_pass(last):
                continue
            if took.low > limit_ms:
                far = "far above" if took.low > 2 * limit_ms else "above"
                remarks.append(Remark(f"at the last line {remainder}, {far} the {limit_ms:.10g} ms {whose}", of))
            elif took.high < limit_ms:
                remarks.append(Remark(f"at the last line {remainder}, below the {limit_ms:.10g} ms {whose}", of))
        return remarks


def left_ms(look: Reading) -> Interval | None:
    """The time to send what was left at the shown bandwidth; None if not known."""
    remaining, mbps = ram_figure(look, "remaining"), _mbps(look)
    if remaining is None or mbps is None or mbps.low <= 0 or ran_over(look.answer.get("ram") or {}):
        return None
    return Interval(
        remaining.low / mbps.high / BYTES_PER_MS_PER_MBPS, remaining.high / mbps.low / BYTES_PER_MS_PER_MBPS
    )


def left_in_words(look: Reading) -> str:
    """The same in words, with the figures it is based on; '' if not known."""
    took, remaining, mbps = left_ms(look), ram_figure(look, "remaining"), _mbps(look)
    if took is None or remaining is None or mbps is None:
        return ""
    return f"{_words(remaining.scaled(1e-6), 'MB')} were left: {_time(took)} at {_rate(mbps)}"


def limit_in_words(look: Reading, limit_ms: float) -> str:
    """How many bytes a downtime-limit allows at the shown bandwidth, in words; '' if not known."""
    mbps = _mbps(look)
    if mbps is None:
        return ""
    size = _words(mbps.scaled(limit_ms * BYTES_PER_MS_PER_MBPS / 1e6), "MB")
    return f"the downtime-limit of {limit_ms:.10g} ms is {size} at {_rate(mbps)}"


def dirtying_in_words(look: Reading) -> str:
    """That the guest dirties memory faster than it is sent, if that is certain; else ''."""
    mbps, pages, page = _mbps(look), ram_figure(look, "dirty-pages-rate"), ram_figure(look, "page-size")
    if pages is None or page is None:
        return ""
    to_mbps = page.low * 1000 / BYTES_PER_MS_PER_MBPS / 1e6
    dirtied, sent_pages = pages.scaled(to_mbps), ram_figure(look, "pages-per-second")
    if mbps is not None and dirtied.low > mbps.high and mbps.low > 0:
        were_sent = f"{_rate(mbps)} were sent"
    elif sent_pages is not None and pages.low > sent_pages.high and sent_pages.low > 0:
        were_sent = f"{_rate(sent_pages.scaled(to_mbps))} of pages were sent, zero pages included"
    else:
        return ""
    faster = f"the guest dirtied {_rate(dirtied)}, but {were_sent}"
    return f"at the last line {faster}: while this continues, no pass is shorter than the previous one"


def past_first_pass(look: Reading) -> bool:
    """Whether the first pass, which sends all of RAM, was certainly over."""
    transferred, remaining, total = (ram_figure(look, name) for name in ("transferred", "remaining", "total"))
    if (
        transferred is not None
        and remaining is not None
        and total is not None
        and transferred.low + remaining.low > total.high * _BEYOND
    ):
        return True
    syncs = ram_figure(look, "dirty-sync-count")
    return syncs is not None and syncs.low > 1


def ram_figure(look: Reading, name: str) -> Interval | None:
    """The interval of a shown RAM figure."""
    if f"ram.{name}" in look.rounding:
        return look.rounding[f"ram.{name}"]
    figure = look.answer.get("ram", {}).get(name)
    return None if figure is None else Interval(figure, figure)


def _mbps(look: Reading) -> Interval | None:
    """The bandwidth shown, unless no link carries it."""
    mbps = ram_figure(look, "mbps")
    return None if mbps is None or mbps.low > GREATEST_MBPS else mbps


def _rate(mbps: Interval) -> str:
    return _words(mbps.scaled(BYTES_PER_MS_PER_MBPS / 1000), "MB/s")


def _time(took: Interval) -> str:
    return _words(took, "ms") if took.high < 1000 else _words(took.scaled(1e-3), "s")


def _words(figure: Interval, unit: str) -> str:
    low, high = _digits(figure.low), _digits(figure.high)
    if low == high or figure.width <= _NARROW * (figure.low or inf):
        return f"{_digits(figure.middle)} {unit}"
    return f"{_digits(figure.middle)} {unit} ({low} to {high})"


def _digits(figure: float) -> str:
    return f"{figure:.0f}" if figure >= 1000 else f"{figure:.3g}"
