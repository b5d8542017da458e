# SPDX-License-Identifier: GPL-2.0-or-later
"""Wherever a migration is looked at while it goes on: what grew is as good as a trace of what there was until then."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from avocado_migdowntime.oracle.growing import GrowingEvidence
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.trace.model import Trace

from ..support.examples import examples
from ..support.growing import differences, fed, prefix
from ..support.simulate import Simulation, record

BYTES_PER_MS = 12_000.0
EVENTS = st.lists(
    st.tuples(
        st.floats(0, 20),
        st.sampled_from(["LIMIT_CHANGED", "BANDWIDTH", "FINISH", "SOUNDING"]),
        st.sampled_from([1, 300, 900, 5000]),
        st.floats(0, 0.5),
    ),
    max_size=3,
)


@st.composite
def migrations(draw: st.DrawFn) -> Trace:
    """A simulated one, whose samples may be torn, missed or counted anew, and during which something may be set."""
    pages = draw(st.lists(st.integers(50, 6_000), min_size=1, max_size=5))
    simulation = Simulation(
        pages, BYTES_PER_MS, draw(st.sampled_from([1, 300, 1000])), duration_ms=9_000, fails=draw(st.booleans())
    )
    trace = record(
        simulation,
        draw(st.integers(20, 200)),
        draw(st.integers(0, 99)),
        draw(st.sampled_from([0, 0.2])),
        draw(st.frozensets(st.integers(1, 5), max_size=2)),
        switchover_ms=draw(st.sampled_from([None, 0, 30])),
    )
    # A QEMU, or whoever passes its answers on, may count syncs anew.
    shift = draw(st.sampled_from([0, 0, 1, 3]))
    at = draw(st.integers(0, len(trace.samples)))
    samples = [
        replace(one, ram=replace(one.ram, dirty_sync_count=max(1, one.ram.dirty_sync_count - shift)))
        if one.ram and number >= at
        else one
        for number, one in enumerate(trace.samples)
    ]
    set_later = [
        Event(t_s, "harness", name, {"downtime-limit": limit_ms, "since": round(max(0.0, t_s - ago_s), 6)})
        for t_s, name, limit_ms, ago_s in draw(EVENTS)
    ]
    events = sorted((*trace.events, *set_later), key=lambda one: one.t_s)
    return Trace(tuple(samples), tuple(events), trace.header)


@st.composite
def recordings(draw: st.DrawFn) -> Trace:
    """One of these, or several one after the other."""
    parts = draw(st.lists(migrations(), min_size=1, max_size=3))
    samples, events = [], []
    for number, part in enumerate(parts):
        begin_s = 30.0 * number
        samples += [replace(one, t_s=one.t_s + begin_s) for one in part.samples]
        events += [
            replace(one, t_s=one.t_s + begin_s, data={**one.data, **_since(one, begin_s)}) for one in part.events
        ]
    return Trace(tuple(samples), tuple(events), parts[0].header)


def _since(event: Event, begin_s: float) -> dict[str, float]:
    return {"since": event.since_s + begin_s} if "since" in event.data else {}


@examples(30)
@given(recordings(), st.data())
def test_at_any_cut_it_is_as_good_as_a_trace_of_what_there_was(trace, data):
    assume(trace.samples)
    cuts = data.draw(st.lists(st.integers(1, len(trace.samples)), min_size=1, max_size=4, unique=True).map(sorted))
    evidence, done = GrowingEvidence(trace.header), 0
    for cut in cuts:
        fed(evidence, trace, done, cut)
        assert differences(evidence.evidence(), prefix(trace, cut)) == []
        done = cut
