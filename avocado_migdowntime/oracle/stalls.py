# SPDX-License-Identifier: GPL-2.0-or-later
"""For how long a host may have kept QEMU from running, by what the harness recorded at regular times.

Threads of QEMU that wait for a CPU, CPUs that a hypervisor withholds, and looks at QEMU's CPU time that come late show
that: a look needs hardly any time itself. If the link was recorded as well, the migration was not held up for longer
than the link, which carries as much as it can, was idle. An idle link alone does not accuse the host: QEMU may be slow.
"""

from collections import defaultdict

import numpy as np

from ..trace.cpu import SIDES
from ..trace.events import CARRIED, CPU, HARNESS, Event
from ..trace.model import Trace
from ..trace.ram import number, optional_number
from ..trace.samples import Floats


def stalled_ms(trace: Trace, begin_s: float, end_s: float) -> float:
    """For how many ms between two times of the trace its hosts may have kept QEMU from running; 0 if nothing shows
    that.

    Raises UsageError if an event of the harness is malformed.
    """
    looks = [event for event in trace.events if (event.side, event.name) == (HARNESS, CPU)]
    held_up_ms = _held_up_s(looks, begin_s, end_s) * 1000
    idle_ms = link_idle_ms(trace, begin_s, end_s)
    return held_up_ms if idle_ms is None else min(held_up_ms, idle_ms)


def link_idle_ms(trace: Trace, begin_s: float, end_s: float) -> float | None:
    """For how many ms between two times of the trace the link was idle; None if it was not recorded.

    Raises UsageError if an event of the harness is malformed.
    """
    looks = [event for event in trace.events if (event.side, event.name) == (HARNESS, CARRIED)]
    carried = [(event.t_s, number(event.data, "bytes")) for event in looks]
    return _idle_s(np.array(carried), begin_s, end_s) * 1000 if carried else None


def _held_up_s(looks: list[Event], begin_s: float, end_s: float) -> float:
    """How late looks came, at the host at which they came latest; or how long QEMUs lacked a CPU, if that is more."""
    at_hosts: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)
    for event in looks:  # Each has the sides that are at its host.
        at_hosts[tuple(sorted(event.data))].append(event.t_s)
    late_s = max((_late_s(np.array(times_s), begin_s, end_s) for times_s in at_hosts.values()), default=0.0)
    queued_s = sum(_more_s(looks, side, "queued_s", begin_s, end_s) for side in SIDES)
    return max(late_s, queued_s + max(_more_s(looks, side, "stolen_s", begin_s, end_s) for side in SIDES))


def _more_s(looks: list[Event], side: str, name: str, begin_s: float, end_s: float) -> float:
    """How much more of it was counted by the first look from `end_s` on than by the last look until `begin_s`.

    The first and the last look stand for those. 0 if it was not recorded.
    """
    rows = [(event.t_s, optional_number(event.data.get(side) or {}, name)) for event in looks]
    known = np.array([row for row in rows if row[1] is not None], dtype=np.float64).reshape(-1, 2)
    if not len(known):
        return 0.0
    times_s, counted_s = known.T
    first = max(0, int(times_s.searchsorted(begin_s, side="right")) - 1)
    last = min(len(known) - 1, int(times_s.searchsorted(end_s)))
    return max(0.0, float(counted_s[last] - counted_s[first]))


def _idle_s(carried: Floats, begin_s: float, end_s: float) -> float:
    """How much of the time inside the link did not need at its usual rate, by times and what it had carried by then."""
    times_s, total_bytes = carried.T
    gaps_s, sent_bytes = np.diff(times_s), np.diff(total_bytes)
    rates = sent_bytes[gaps_s > 0] / gaps_s[gaps_s > 0]
    usual = float(np.median(rates)) if len(rates) else 0.0
    if usual <= 0:
        return 0.0
    return float(np.maximum(_inside_s(times_s, begin_s, end_s) - sent_bytes / usual, 0.0).sum())


def _late_s(times_s: Floats, begin_s: float, end_s: float) -> float:
    """How much later than usual looks at these times were, where that was inside."""
    if len(times_s) < 2:
        return 0.0
    gaps_s = np.diff(times_s)
    late_s = np.minimum(gaps_s - np.median(gaps_s), _inside_s(times_s, begin_s, end_s))
    return float(np.maximum(late_s, 0.0).sum())


def _inside_s(times_s: Floats, begin_s: float, end_s: float) -> Floats:
    """How much of each time between two looks was inside; below 0 if none was."""
    return np.minimum(times_s[1:], end_s) - np.maximum(times_s[:-1], begin_s)
