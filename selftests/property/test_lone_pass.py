# SPDX-License-Identifier: GPL-2.0-or-later
"""A correct QEMU that switches over in its first passes is never said to violate the limit; one far off it is."""

from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement

from ..support.examples import examples
from ..support.simulate import Simulation, record

BANDWIDTHS = st.floats(3_000, 120_000)
slow = examples(60)


@slow
@given(
    st.integers(50, 4_000),
    st.lists(st.integers(0, 2_000), min_size=1, max_size=3),
    BANDWIDTHS,
    st.sampled_from([1, 20, 100, 300, 700, 2000]),
    st.integers(0, 40_000),
    st.floats(0, 0.3),
    st.integers(5, 150),
    st.booleans(),
    st.sampled_from([1, 30, 400]),
)
@example(301, [124, 0], 4076.0, 1, 0, 0.0, 5, False, 1)  # Two windows' worth is sent within hardly more than one.
def test_a_correct_qemu_is_never_said_to_switch_over_early(
    first_ms, later_ms, bandwidth, limit_ms, zero_pages, noise, period_ms, on_syncs, switchover_ms
):
    pages = [max(1, int(ms * bandwidth / 4096)) for ms in (first_ms, *later_ms)]
    simulation = Simulation(pages, bandwidth, limit_ms, zero_pages=zero_pages, noise=noise)
    trace = record(simulation, period_ms, on_syncs=on_syncs, switchover_ms=switchover_ms)
    assume(trace.samples)
    verdict = judge(trace)
    assert verdict.limit_verdict is not LimitJudgement.VIOLATED, verdict.limit


@pytest.mark.long
@slow
@given(
    st.integers(500, 3_000),
    st.integers(0, 3_000),
    BANDWIDTHS,
    st.sampled_from([1, 100, 300]),
    st.floats(0.05, 1),
    st.integers(5, 80),
)
def test_a_guest_that_somebody_else_stops_makes_no_violation(
    first_ms, second_ms, bandwidth, limit_ms, share, period_ms
):
    """Wherever in the first pass it is stopped: nothing is dirtied after, and what is left goes as it went before."""
    pages = [max(1, int(ms * bandwidth / 4096)) for ms in (first_ms, second_ms, 0)]
    trace = record(Simulation(pages, bandwidth, limit_ms, zero_pages=0, duration_ms=20_000), period_ms)
    assume(trace.samples and trace.completed)
    stop_s = share * max(sample.t_s for sample in trace.samples if sample.ram.dirty_sync_count == 1)
    verdict = judge(replace(trace, events=(*trace.events, Event(stop_s, "source", "STOP", {}))))
    assert verdict.limit_verdict is not LimitJudgement.VIOLATED, verdict.limit


@slow
@given(st.integers(1_500, 3_000), BANDWIDTHS, st.sampled_from([1, 100, 300]), st.integers(5, 80), st.booleans())
def test_one_that_goes_by_a_far_larger_limit_in_its_first_pass_violates_it(
    used_ms, bandwidth, limit_ms, period_ms, on_syncs
):
    pages = [int((used_ms + 1_000) * bandwidth / 4096), 1]
    simulation = Simulation(pages, bandwidth, limit_ms, used_limit_ms=used_ms, zero_pages=0)
    verdict = judge(record(simulation, period_ms, on_syncs=on_syncs, switchover_ms=30))
    assert verdict.limit.code == "switched-over-early", verdict.limit
