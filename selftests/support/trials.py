# SPDX-License-Identifier: GPL-2.0-or-later
"""Simulated migrations on which downtime-limits are tried. Each pass finds PAGES, for which NEEDED_MS are needed."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.trace.model import Trace

from .simulate import PAGE, Simulation, record

PAGES, BYTES_PER_MS = 6000, 12_000.0
NEEDED_MS = PAGES * PAGE / BYTES_PER_MS
TRIALS = {8_000: ("default", 300.0), 16_000: ("below", 1000.0), 24_000: ("chosen", 2500.0)}


def tried(
    trials: Mapping[int, tuple[str, float]] = TRIALS,  # By the ms at which they start.
    limit_from: str = "oracle",
    **simulated: Any,
) -> Trace:
    """The trace of a guest that rewrites its region in every pass, under one limit after the other."""
    limits = {at_ms: limit_ms for at_ms, (_, limit_ms) in trials.items()}
    simulation = Simulation([PAGES], BYTES_PER_MS, later_limits_ms=limits, **{"duration_ms": 34_000, **simulated})
    events = [
        Event(at_ms / 1000, "harness", "LIMIT", {"trial": name, "downtime-limit": limit_ms, "limit-from": limit_from})
        for at_ms, (name, limit_ms) in trials.items()
    ]
    trace = record(simulation)
    return replace(trace, events=(*trace.events, *events))


def under(limit_ms: float, later: Mapping[int, float] = MappingProxyType({})) -> tuple[Trace, Event]:
    """A trace that completes under `limit_ms`, and the event of a harness that set 300 ms, both at 24 s.

    Passes of 1 s show that this guest, which dirties all of its region in them too, needs 2 s of bandwidth for each.
    """
    bandwidths = {6_000: 24_000.0, 12_000: BYTES_PER_MS, **later}
    simulation = Simulation(
        [PAGES], BYTES_PER_MS, duration_ms=40_000, later_limits_ms={24_000: limit_ms}, later_bytes_per_ms=bandwidths
    )
    event = {"trial": "default", "downtime-limit": 300.0, "limit-from": "oracle", "since": 23.9}
    return record(simulation), Event(24.0, "harness", "LIMIT", event)
