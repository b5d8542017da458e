# SPDX-License-Identifier: GPL-2.0-or-later
"""For how long QEMU or its host may have stalled, by what the harness recorded at regular times.

A link that carries as much as it can is idle while the source, or in TCP the destination, does not run. If the link was
not recorded, looks at QEMU's CPU time show that: they need hardly any time themselves, so if one is late, the host kept
the harness from running, and may have kept QEMU from running, too.
"""

from collections import defaultdict

import numpy as np

from ..trace.events import CARRIED, CPU, HARNESS
from ..trace.model import Trace
from ..trace.ram import number
from ..trace.samples import Floats


def stalled_ms(trace: Trace, begin_s: float, end_s: float) -> float:
    """For how many ms between two times of the trace QEMU or its host may have stalled; 0 if nothing shows that.

    It is the time that the link did not need at its usual rate; or else how late looks came, at the host at which they
    came latest. Raises UsageError if an event of the harness is malformed.
    """
    looks = [event for event in trace.events if event.side == HARNESS]
    carried = [(event.t_s, number(event.data, "bytes")) for event in looks if event.name == CARRIED]
    if carried:
        return _idle_s(np.array(carried), begin_s, end_s) * 1000
    at_hosts: defaultdict[tuple[str, ...], list[float]] = defaultdict(list)
    for event in looks:
        if event.name == CPU:  # It has the sides that are at this host.
            at_hosts[tuple(sorted(event.data))].append(event.t_s)
    return max((_late_s(np.array(times_s), begin_s, end_s) for times_s in at_hosts.values()), default=0.0) * 1000


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
