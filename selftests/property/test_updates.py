# SPDX-License-Identifier: GPL-2.0-or-later
"""How a report is renewed, on simulated migrations whose bandwidth is changed in the end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.faults.catalogue import named_fault
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.correct_qemu import check_judged_right
from ..support.examples import examples
from ..support.simulate import PAGE, Simulation, record

BYTES_PER_MS = 12_000.0
UNSEEN = "no later pass shows whether it is updated once a pass"
slow = examples(40)


def slowed(pass_ms, share, begun_ms, how=None, watched_ms=600, **more):
    """A trace of passes so long, the last again and again, of which the end has another bandwidth."""
    pages = [int(ms * BYTES_PER_MS / PAGE) for ms in pass_ms]
    ends_ms = begun_ms + watched_ms
    later = {begun_ms: share * BYTES_PER_MS}
    trace = record(
        Simulation(pages, BYTES_PER_MS, later_bytes_per_ms=later, **{"duration_ms": ends_ms + 100, **more}),
        **how or {},
    )
    events = [
        Event(begun_ms / 1000 + 0.001, "harness", "BANDWIDTH", {}),
        Event(ends_ms / 1000, "harness", "FINISH", {}),
    ]
    return replace(trace, events=(*trace.events, *events))


def alike(fault=None, **more):
    """The verdict on two passes of 1.8 s, the second of which is slowed in its middle."""
    return judge(slowed([1800], 0.75, 1900 + 1800 + 900, {"fault": fault and named_fault(fault).make()}, **more))


@slow
@given(
    st.lists(st.integers(1300, 3000), min_size=1, max_size=3),
    st.sampled_from([0.3, 0.75, 0.97, 1.5]),
    st.integers(1000, 9000),
    st.integers(100, 2000),
    st.integers(0, 2**32),
    st.floats(0, 0.1),
    st.integers(5, 300),
    st.floats(0, 0.05),
)
def test_a_correct_qemu_follows_the_bandwidth_and_is_never_called_inaccurate(
    pass_ms, share, begun_ms, watched_ms, seed, torn, period_ms, noise
):
    how = {"seed": seed, "torn": torn, "period_ms": period_ms}
    trace = slowed(pass_ms, share, begun_ms, how, watched_ms, noise=noise)
    before = [sample for sample in trace.samples if sample.t_s < begun_ms / 1000]
    check_judged_right(judge(trace), before)


def test_passes_are_judged_by_what_came_before_the_change():
    verdict = alike()
    assert (verdict.verdict, verdict.formula) == (Judgement.ACCURATE, "last-sync")
    assert verdict.expected_ms == pytest.approx(1800, rel=0.002) and verdict.passes == 2


@pytest.mark.parametrize(
    ("fault", "name", "says"),
    [
        ("uncomputed", "uncomputed", "; it is never computed, and stays at 1 ms"),
        ("zero", "uncomputed", "; it is never computed, and stays at 0 ms"),
        ("stale", "stale", "; it is that of the previous pass"),
        ("once-a-pass", "once-a-pass", "; it is updated once a pass, and late"),
    ],
)
def test_a_report_that_is_not_renewed_is_named(fault, name, says):
    header = {"execute": "migrate-set-parameters", "arguments": {"downtime-limit": 1}}
    made = named_fault(fault).make()
    made.to_qemu(header)
    trace = slowed([1800], 0.75, 4600, {"fault": made})
    verdict = judge(trace)
    assert (verdict.verdict, verdict.formula) == (Judgement.INACCURATE, name), verdict
    assert verdict.reasons[0].endswith(says) and not verdict.era


def test_a_figure_from_nowhere_that_does_not_follow_is_frozen():
    verdict = alike(estimate=lambda *_: 777)
    assert (verdict.verdict, verdict.formula) == (Judgement.INACCURATE, "frozen"), verdict
    assert verdict.relative_error == pytest.approx(777 / 1800 - 1, abs=0.002)


def test_a_report_that_was_right_is_found_frozen_by_the_change_of_bandwidth_alone():
    verdict = alike("frozen")
    assert (verdict.verdict, verdict.formula) == (Judgement.INACCURATE, "frozen"), verdict
    assert abs(verdict.relative_error) < 0.002
    off, sentence = verdict.reasons[0].split("; ")
    assert off.startswith("the report is -25.0") or off.startswith("the report is -24.9")
    assert off.endswith("% off last-sync once the bandwidth has changed by -25%")
    assert sentence == f"it stays at 1799 ms, although the correct figure changed within a pass: {UNSEEN}"
    unchanged = slowed([1800], 0.75, 99_000, {"fault": named_fault("frozen").make()}, duration_ms=9_000)
    assert judge(replace(unchanged, events=())).passed


def test_a_report_that_is_renewed_as_each_pass_begins_is_told_from_a_frozen_one():
    figures = {}
    trace = slowed(
        [1500, 1500, 2000], 0.75, 4100, estimate=lambda sync, *_: figures.setdefault(sync, sync / BYTES_PER_MS)
    )
    verdict = judge(trace)
    assert (verdict.verdict, verdict.formula) == (Judgement.INACCURATE, "once-a-pass"), verdict
    assert verdict.reasons[0].endswith("; it is updated once a pass, at its beginning")


def test_a_report_that_a_later_pass_does_not_renew_either_is_frozen():
    verdict = judge(slowed([1800], 0.75, 4_600, {"fault": named_fault("frozen").make()}, watched_ms=5_500))
    assert verdict.reasons[0].endswith("; it stays at 1799 ms, although the correct figure changed")


@pytest.mark.parametrize("factor", ["0.5", "0.9", "0.98", "1.02", "1.1", "2"])
@pytest.mark.parametrize("pass_ms", [[1800], [1500, 1500, 2000, 2600]])
def test_a_report_that_is_off_but_follows_is_none_of_these(factor, pass_ms):
    for begun_ms in (4_600, 6_500):
        verdict = judge(slowed(pass_ms, 0.75, begun_ms, {"fault": named_fault(f"factor={factor}").make()}))
        assert (verdict.verdict, verdict.formula) == (Judgement.INACCURATE, None), verdict
        assert verdict.relative_error == pytest.approx(float(factor) - 1, abs=0.003)


@pytest.mark.parametrize("fault", ["stale", "once-a-pass", "frozen"])
def test_passes_of_other_lengths_tell_as_well(fault):
    trace = slowed([1500, 1500, 2000, 2600], 0.75, 6_500, {"fault": named_fault(fault).make()})
    verdict = judge(trace)
    assert (verdict.verdict, verdict.formula) == (Judgement.INACCURATE, fault), verdict


def test_a_figure_that_follows_halfway_is_off_and_fits_nothing():
    """Such as one whose bandwidth is an average over the whole run."""
    verdict = alike(estimate=lambda sync, live, rate, bw: sync / ((bw + BYTES_PER_MS) / 2))
    assert (verdict.verdict, verdict.formula) == (Judgement.INACCURATE, None), verdict
    assert verdict.reasons[0].startswith("the report is -14.")
    assert verdict.reasons[0].endswith(
        "% off last-sync once the bandwidth has changed by -25%; it fits no known formula"
    )


@pytest.mark.parametrize("share", [0.95, 1.05])
def test_a_bandwidth_that_hardly_changed_tells_nothing(share):
    assert judge(slowed([1800], share, 4600, {"fault": named_fault("frozen").make()})).passed
