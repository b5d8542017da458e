# SPDX-License-Identifier: GPL-2.0-or-later
"""Which max-bandwidth held when, and how much of it was used.

QEMU gives each of its windows a tenth of max-bandwidth, and rests when that is used up (migration/migration.c:
migration_rate_limit, XFER_LIMIT_RATIO). Between two pages it checks what it has passed to the system. So a window may
carry more: what is gathered before that, and with multifd what each channel is working on. A window is never shorter
than its time, and any span of time touches up to two windows that lie only partly in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from math import inf

import numpy as np

from ..basics.interval import Interval
from ..basics.qemu_constants import BUFFER_DELAY_MS, DEFAULT_MULTIFD_CHANNELS, MULTIFD_PACKET_BYTES
from ..trace.events import CAP_CHANGED
from ..trace.model import Trace
from ..trace.ram import optional_number
from ..trace.samples import Samples

NAME = "max-bandwidth"
_BEYOND_ANY_LINK = 1e11
"""A max-bandwidth of 100 GB/s limits nobody; QEMU takes 0 as no limit."""
_LIMITED = 0.9
"""At this share of max-bandwidth, the sender counts as limited by it."""
_LEAST_WINDOW_MS = BUFFER_DELAY_MS - 1
"""The shortest window, because QEMU truncates times to whole milliseconds."""
_GATHERED_PAGES = 64
"""The pages that may be gathered before they count. QEMU: migration/qemu-file.c, MAX_IOV_SIZE, and compress-threads."""
_HEADER_BYTES = 32
_PACKET_BYTES = MULTIFD_PACKET_BYTES + 8192
"""The most bytes of a multifd packet with its header."""
_SPAN_S = 1.0
"""Apart from the whole time, spans of this length are examined."""


@dataclass(frozen=True)
class CapUse:
    """How much of a max-bandwidth was used.

    At `bytes_per_s`, at most `allowed_bytes` can be sent in `lasted_s`; `sent_bytes` were.
    """

    bytes_per_s: float
    lasted_s: float
    sent_bytes: float
    allowed_bytes: float

    @property
    def used(self) -> float:
        """The share of the allowed bytes that was sent."""
        return self.sent_bytes / self.allowed_bytes


@dataclass(frozen=True)
class Cap:
    """The max-bandwidth that holds, None if not known, and when it had been set; -infinity if before the recording."""

    bytes_per_s: float | None
    set_s: float = -inf

    @classmethod
    def at(cls, trace: Trace, t_s: float, by_others_s: float) -> "Cap":
        """The one that holds at a time, or if somebody else set another one later, at `by_others_s`.

        Raises UsageError if the header or an event is malformed.
        """
        until_s = {CAP_CHANGED: by_others_s}
        events = (event for event in trace.events if event.since_s < until_s.get(event.name, t_s))
        changes = (event for event in events if event.cap_bytes_per_s is not None)
        first = cls(optional_number(trace.migrate_parameters, NAME))
        return reduce(lambda _, event: cls(event.cap_bytes_per_s, event.t_s), changes, first)

    def limits(self, bytes_per_ms: float) -> bool | None:
        """Whether a sender at this bandwidth counts as limited by it; None if it is not known."""
        if self.bytes_per_s is None:
            return None
        return bool(self.bytes_per_s) and bytes_per_ms * 1000 >= _LIMITED * self.bytes_per_s


def most_used(trace: Trace, samples: Samples, stopped_s: float) -> CapUse | None:
    """The span that used the largest share of max-bandwidth before the guest was stopped; None if no limit held."""
    counted = ~np.isnan(samples.transferred_bytes) & samples.are("active") & (samples.answered_s < stopped_s)
    counted_samples = samples.take(np.flatnonzero(counted & (samples.open_bytes == 0)))
    spans = (
        use
        for since_s, until_s, bytes_per_s in _spans(trace)
        if 0 < bytes_per_s < _BEYOND_ANY_LINK
        for use in _uses(trace, counted_samples, Interval(since_s, until_s), bytes_per_s)
    )
    return max(spans, key=lambda use: use.used, default=None)


def _spans(trace: Trace) -> Iterator[tuple[float, float, float]]:
    """For each span of time, the max-bandwidth that certainly held, or a larger one if two may have."""
    steps = [(-inf, -inf, optional_number(trace.migrate_parameters, NAME) or 0.0)]
    for event in trace.events:
        if (later := event.cap_bytes_per_s) is not None:
            # A change that is recorded before it is made may take effect at any time.
            least = later if "since" in event.data else max(later or inf, steps[-1][2] or inf)
            steps.append((event.since_s, event.t_s, least))
    for (_, begin_s, bytes_per_s), (end_s, _, _) in pairwise([*steps, (inf, inf, 0.0)]):
        if begin_s < end_s:
            yield begin_s, end_s, bytes_per_s


def _uses(trace: Trace, samples: Samples, span_s: Interval, bytes_per_s: float) -> Iterator[CapUse]:
    part = samples.take(np.flatnonzero((samples.t_s >= span_s.low) & (samples.answered_s <= span_s.high)))
    if len(part) < 2:
        return
    t_s, answered_s, transferred_bytes = part.t_s, part.answered_s, part.transferred_bytes
    ends = np.minimum(t_s.searchsorted(t_s + _SPAN_S), len(part) - 1)
    begins = np.append(np.arange(len(part)), 0)
    ends = np.append(ends, len(part) - 1)
    lasted_s, sent_bytes = answered_s[ends] - t_s[begins], transferred_bytes[ends] - transferred_bytes[begins]
    window_bytes = bytes_per_s * BUFFER_DELAY_MS / 1000 + _beyond_bytes(trace, float(part.page_bytes[0]))
    allowed = (lasted_s * 1000 / _LEAST_WINDOW_MS + 2) * window_bytes
    row = int((sent_bytes / allowed).argmax())
    yield CapUse(bytes_per_s, float(lasted_s[row]), float(sent_bytes[row]), float(allowed[row]))


def _beyond_bytes(trace: Trace, page_bytes: float) -> float:
    """What a window may carry beyond its share."""
    beyond = _GATHERED_PAGES * (page_bytes + _HEADER_BYTES)
    if "multifd" in trace.capabilities:
        channels = optional_number(trace.migrate_parameters, "multifd-channels") or DEFAULT_MULTIFD_CHANNELS
        beyond += (channels + 1) * _PACKET_BYTES
    return beyond
