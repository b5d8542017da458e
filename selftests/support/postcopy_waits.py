# SPDX-License-Identifier: GPL-2.0-or-later
"""A migration that ended by postcopy, with records of how long the destination's vCPUs were awake."""

from avocado_migdowntime.trace.events import AWAKE, BLOCKTIME, HARNESS, Event

from .migrations import of, with_events

WENT_ON_S, READY_S = 100.0, 102.0
RESUME = Event(8.0, "destination", "RESUME", {}, WENT_ON_S)
READY = Event(10.0, "destination", "MIGRATION", {"status": "completed"}, READY_S)


def looks(*busy, every_s=0.1, begin_s=99.5, end_s=103.0, queued=0.0, stuck_s=(), seen=True):
    """Looks at vCPUs, each of which is awake for its share of the time from when the guest continues.

    The first one waits for a page between the two times of `stuck_s`, which is `seen` or not.
    """
    events = []
    for number in range(round((end_s - begin_s) / every_s) + 1):
        at_s = begin_s + number * every_s
        ran_s = [max(0.0, at_s - WENT_ON_S)] * len(busy)
        if stuck_s:
            ran_s[0] -= min(max(0.0, at_s - stuck_s[0]), stuck_s[1] - stuck_s[0])
        looked = {
            "from_s": at_s,
            "to_s": at_s + 0.0005,
            "vcpus_s": [7 + round(share * one, 9) for share, one in zip(busy, ran_s, strict=True)],
            "waiting": [0] if seen and stuck_s and stuck_s[0] <= at_s < stuck_s[1] else [],
            "others_queued_s": 3 + queued * max(0.0, at_s - WENT_ON_S),
        }
        events.append(Event(at_s - 92, HARNESS, AWAKE, looked))
    return events


def told(*vcpus_ms, all_ms=None, requests=0):
    """The destination's final figures: how long each vCPU waited, and `all_ms`, by default the least of these."""
    figures = {
        "postcopy-blocktime": min(vcpus_ms) if all_ms is None else all_ms,
        "postcopy-vcpu-blocktime": list(vcpus_ms),
    }
    return Event(11.2, HARNESS, BLOCKTIME, {**figures, "requests": requests})


SAYS_NOTHING = Event(11.2, HARNESS, BLOCKTIME, {"requests": 5})


def beside(*events):
    """The migration with these events."""
    return with_events(of([2000, 10], 300.0), *events)
