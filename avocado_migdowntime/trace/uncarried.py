# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds one place where a counter of pages jumped, because the bytes sent cannot have carried so many.

A page of content costs its size, a zero page a header. QEMU counts both with what it sends, late only by its buffers.
If pages are compressed, each stretch of the migration has more pages than bytes, and nothing is found.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..basics.qemu_constants import MOST_UNCOUNTED_BYTES, ZERO_PAGE_BYTES
from .samples import Floats, Samples

_OTHERS = 10
"""That pages cost what they should is known from at least this many other samples."""
_SLIGHT = 0.001
"""A jump by no more than this share of what is left changes no verdict."""


def why_uncarried(samples: Samples, early_bytes: float) -> str:
    """Where the pages jumped in all of these samples, if that was at one place alone; else ''."""
    found = Uncarried(early_bytes)
    for stretch in samples.stretches():
        found = found.after(stretch)
    return found.why


@dataclass(frozen=True)
class Uncarried:
    """How the pages in the samples so far compare with the bytes; more samples may follow.

    `early_bytes` of pages may be counted before their bytes.
    """

    early_bytes: float = 0.0
    _jumps: int = 0
    _first: str = ""
    _others: int = 0
    _spare_bytes: float = 0.0
    """The bytes sent in the other places, minus what their pages cost."""
    _last: Samples = field(default_factory=Samples)

    def after(self, samples: Samples) -> "Uncarried":
        """The same after more samples."""
        counted = samples.are("active") & samples.has_ram & ~np.isnan(samples.transferred_bytes)
        samples = samples.take(np.flatnonzero(counted))
        if not len(samples):
            return self
        samples = Samples(np.hstack([self._last.table, samples.table]))
        cost, sent, is_slight = self._compared(samples)
        jumps = np.flatnonzero(cost - sent > MOST_UNCOUNTED_BYTES + self.early_bytes)
        told = [_told(samples, cost, sent, int(jump)) for jump in jumps[:1] if not is_slight[jump]]
        others = np.delete(sent - cost, jumps)
        return Uncarried(
            self.early_bytes,
            self._jumps + len(jumps),
            self._first or "".join(told),
            self._others + len(others),
            self._spare_bytes + float(np.sum(others)),
            samples[-1:],
        )

    @property
    def why(self) -> str:
        """Where the pages jumped, if that was at one place alone; else ''."""
        is_known = self._others >= _OTHERS and self._spare_bytes > -MOST_UNCOUNTED_BYTES - self.early_bytes
        return self._first if self._jumps == 1 and is_known else ""

    def _compared(self, samples: Samples) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """What the pages from each sample to the next cost, the bytes sent meanwhile, and whether a jump is slight.

        precopy-bytes is no such measure: it counts nothing after the guest was stopped, as somebody may in mid-pass.
        """
        zero, page_bytes = np.diff(samples.zero_pages), samples.page_bytes[1:]
        of_content = (np.diff(samples.sent_pages) - zero) * page_bytes
        sent = np.diff(samples.transferred_bytes)
        slight_bytes = _SLIGHT * np.maximum(samples.remaining_bytes[1:], samples.remaining_bytes[:-1])
        is_slight = (of_content - sent <= slight_bytes) & (zero * page_bytes <= slight_bytes)
        return of_content + zero * ZERO_PAGE_BYTES, sent, is_slight


def _told(samples: Samples, cost: Floats, sent: Floats, at: int) -> str:
    begin_s, end_s = samples.t_s[at], samples.answered_s[at + 1]
    return (
        f"between {begin_s:.2f} and {end_s:.2f} s, pages of {cost[at]:.3g} bytes were counted as sent, but only "
        f"{sent[at]:.3g} bytes were sent: a counter of pages jumped"
    )
