# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces that are watched as they grow."""

from collections.abc import Iterator
from dataclasses import replace

from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.watching.now import Now
from avocado_migdowntime.watching.watcher import Watcher


def watched(trace: Trace) -> Iterator[tuple[Watcher, bool]]:
    """The watcher after each sample of `trace`, and whether the sample changed something; events come in turn."""
    watcher, events = Watcher(), list(trace.events)
    watcher.begin(trace.header)
    for sample in trace.samples:
        while events and events[0].t_s <= sample.t_s:
            watcher.event(events.pop(0))
        yield watcher, watcher.sample(sample)


def at(trace: Trace, t_s: float) -> Now:
    """The state at that time."""
    until = int(trace.samples.t_s.searchsorted(t_s)) + 1
    *_, (watcher, _) = watched(replace(trace, samples=trace.samples[:until]))
    now = watcher.now()
    assert now is not None
    return now


def with_capabilities(trace: Trace, *names: str) -> Trace:
    """The trace of a QEMU that shows these as enabled."""
    return replace(trace, header={**trace.header, "capabilities": list(names)})
