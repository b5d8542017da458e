# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds figures that no migration has: more than any link carries, falling counts, pages of an odd size."""

from dataclasses import dataclass, field

import numpy as np

from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS, GREATEST_MBPS
from .samples import Floats, Samples

_BYTES_PER_S = GREATEST_MBPS * BYTES_PER_MS_PER_MBPS * 1000
_OPEN_S = 0.1
"""A log may write a line this much later than its figures are from."""
_FALLS = 3
"""Fewer may be of answers that came late, or of a log in which lines changed places."""


def why_impossible(samples: Samples, *, from_begin: bool) -> str:
    """What was sent in too little time between two looks, or before the first if the times are `from_begin`; or that
    the count of dirty syncs fell again and again; or a page size that is no power of two. '' if none is so.
    """
    found = Impossible()
    for stretch in samples.stretches():
        found = found.after(stretch, from_begin=from_begin)
        from_begin = False
    return found.why


@dataclass(frozen=True)
class Impossible:
    """What is impossible in the samples so far; more of them may follow."""

    _jumps: tuple[str, ...] = ("", "")
    _falls: int = 0
    _first_fall: tuple[float, ...] = ()
    _page: str = ""
    _last: Samples = field(default_factory=Samples)
    """The last samples that show each of the counters."""

    def after(self, samples: Samples, *, from_begin: bool = False) -> "Impossible":
        """The same after more samples."""
        counted = samples.take(np.flatnonzero(samples.has_ram))
        if not len(counted):
            return self
        counted = Samples(np.hstack([self._last.table, counted.table]))
        falls, first_fall = _falls(counted)
        sent = _every_sent_bytes(counted)
        jumps = (_jump(counted, one, from_begin=from_begin) for one in sent)
        last = {int(np.flatnonzero(one > 0)[-1]) for one in (*sent, counted.dirty_sync_count) if np.any(one > 0)}
        return Impossible(
            tuple(before or now for before, now in zip(self._jumps, jumps, strict=True)),
            self._falls + falls - _falls(self._last)[0],
            self._first_fall or first_fall,
            self._page or _page(counted),
            counted.arranged(np.array(sorted(last), np.intp)),
        )

    @property
    def why(self) -> str:
        """Why nothing follows from these samples; '' if nothing in them is impossible."""
        falls = ""
        if self._falls >= _FALLS:
            before, after = self._first_fall
            falls = f"dirty-sync-count fell {self._falls} times, as from {before:.0f} to {after:.0f}, "
            falls += "which it does in no migration"
        return next(filter(None, (*self._jumps, falls, self._page)), "")


def _every_sent_bytes(samples: Samples) -> tuple[Floats, ...]:
    return samples.transferred_bytes, samples.page_bytes * samples.sent_pages


def _falls(samples: Samples) -> tuple[int, tuple[float, ...]]:
    """How often the count of dirty syncs fell, and its values before and after the first fall."""
    counts = samples.dirty_sync_count[samples.dirty_sync_count > 0]
    falls = np.flatnonzero(np.diff(counts) < 0)
    return len(falls), tuple(counts[falls[:1, np.newaxis] + [0, 1]].flat)


def _page(samples: Samples) -> str:
    page_bytes = samples.page_bytes[samples.page_bytes > 0]
    odd = page_bytes[np.frexp(page_bytes)[0] != 0.5]  # Of a power of two, the mantissa is 0.5.
    return f"a page-size of {odd[0]:.0f} bytes is shown, which no target has" if len(odd) else ""


def _jump(samples: Samples, sent_bytes: Floats, *, from_begin: bool) -> str:
    known = sent_bytes > 0
    t_s, answered_s, sent_bytes = samples.t_s[known], samples.answered_s[known], sent_bytes[known]
    is_from_begin = from_begin and len(t_s) > 0 and t_s[0] > 0
    begin = np.zeros(int(is_from_begin))
    sent = np.diff(np.concatenate([begin, sent_bytes]))
    longest_s = np.concatenate([begin, answered_s])[1:] - np.concatenate([begin, t_s])[:-1] + _OPEN_S
    beyond = np.flatnonzero(sent / _BYTES_PER_S > longest_s)
    if not len(beyond):
        return ""
    first = int(beyond[0])
    where = "before the first figures" if is_from_begin and not first else "between two looks"
    return f"{sent[first]:.3g} bytes were sent in at most {longest_s[first]:.3g} s {where}, more than any link carries"
