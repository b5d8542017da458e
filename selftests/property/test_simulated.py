# SPDX-License-Identifier: GPL-2.0-or-later
"""Property tests of the verdict on simulated precopy runs, whose truth is known."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.correct_qemu import check_judged_right
from ..support.examples import examples
from ..support.simulate import PAGE, Simulation, record

PASS_MS = st.one_of(st.integers(400, 800), st.integers(1300, 3000))
"""Passes well away from 1 s, where dirty-rate and last-sync agree."""
LIMITS_MS = st.sampled_from([1, 5, 50, 150, 300])
TELLING_LIMITS_MS = st.sampled_from([1, 5, 200, 300, 700])
"""At limits of less than a burst of sending but more than 1 % of a pass it stays open where a pass ended."""
BANDWIDTHS = st.floats(3_000, 120_000)
SEEDS = st.integers(0, 2**32)
slow = examples(40)


def simulation(pass_ms: list[int], bytes_per_ms: float, limit_ms: float = 1, **more: object) -> Simulation:
    pages = [max(1, int(ms * bytes_per_ms / 4096)) for ms in pass_ms]
    # The dirty rate is only renewed at syncs more than a second apart: begin with such a pass.
    return Simulation([max(pages[0], int(1500 * bytes_per_ms / 4096)), *pages], bytes_per_ms, limit_ms, **more)


@slow
@given(
    st.lists(st.integers(1300, 3000), min_size=1, max_size=3), BANDWIDTHS, TELLING_LIMITS_MS, SEEDS, st.floats(0, 0.05)
)
def test_a_correct_qemu_is_accurate(pass_ms, bandwidth, limit_ms, seed, torn):
    verdict = judge(record(simulation(pass_ms, bandwidth, limit_ms), seed=seed, torn=torn))
    assert verdict.verdict is Judgement.ACCURATE, verdict
    assert verdict.formula == "last-sync"
    assert abs(verdict.relative_error) < 0.01
    assert verdict.relative_error_interval.low <= 0.002 and verdict.relative_error_interval.high >= -0.002
    assert verdict.limit_verdict is LimitJudgement.RESPECTED


@slow
@given(
    st.lists(PASS_MS, min_size=1, max_size=4),
    BANDWIDTHS,
    LIMITS_MS,
    SEEDS,
    st.floats(0, 0.1),
    st.frozensets(st.integers(1, 6)),
    st.integers(5, 400),
    st.booleans(),
)
def test_a_correct_qemu_is_never_called_inaccurate(pass_ms, bandwidth, limit_ms, seed, torn, missed, period_ms, fails):
    trace = record(simulation(pass_ms, bandwidth, limit_ms, fails=fails), period_ms, seed, torn, missed)
    if trace.samples:
        verdict = judge(trace)
        check_judged_right(verdict, trace.samples)
        assert verdict.limit_verdict is not LimitJudgement.VIOLATED, verdict


@slow
@given(
    st.lists(st.integers(1300, 3000), min_size=1, max_size=3),
    BANDWIDTHS,
    st.sampled_from([1, 5, 50, 300, 1000, 5000]),
    SEEDS,
    st.floats(0, 0.3),
    st.integers(5, 80),
    st.booleans(),
)
def test_a_bandwidth_that_moves_is_no_fault(pass_ms, bandwidth, limit_ms, seed, noise, period_ms, on_syncs):
    trace = record(simulation(pass_ms, bandwidth, limit_ms, noise=noise), period_ms, seed, on_syncs=on_syncs)
    verdict = judge(trace)
    check_judged_right(verdict, trace.samples)
    assert verdict.limit_verdict is not LimitJudgement.VIOLATED, verdict


@slow
@given(st.lists(st.integers(1300, 3000), min_size=1, max_size=3), BANDWIDTHS, LIMITS_MS, SEEDS, st.data())
def test_a_trace_cut_anywhere_is_never_called_inaccurate(pass_ms, bandwidth, limit_ms, seed, data):
    trace = record(simulation(pass_ms, bandwidth, limit_ms, duration_ms=9000), seed=seed)
    cut = data.draw(st.integers(1, len(trace.samples)))
    verdict = judge(replace(trace, samples=trace.samples[:cut]))
    check_judged_right(verdict, trace.samples[:cut])
    assert verdict.limit_verdict is not LimitJudgement.VIOLATED, verdict


@slow
@given(
    st.lists(st.integers(1300, 3000), min_size=2, max_size=4),
    BANDWIDTHS,
    LIMITS_MS,
    SEEDS,
    st.floats(0, 0.05),
    st.sampled_from([None, PAGE]),
    st.booleans(),
)
def test_the_oracle_encloses_what_was_left_at_each_sync(pass_ms, bandwidth, limit_ms, seed, torn, host_page, on_syncs):
    simulated = simulation(pass_ms, bandwidth, limit_ms)
    trace = record(simulated, seed=seed, torn=torn, host_page_bytes=host_page, on_syncs=on_syncs)
    found = [s for s in Evidence.of(trace).syncs if min(len(s.before.samples), len(s.after.samples)) >= 10]
    assert found
    for sync in found:
        true = simulated.true_sync_bytes[sync.after.number]
        assert sync.at_sync_bytes.low - 4096 <= true <= sync.at_sync_bytes.high + 4096


def _wrong(name):
    return {
        "dirty-rate": lambda sync, live, rate, bw: rate / bw * 1000,
        "redirty": lambda sync, live, rate, bw: sync / bw * (1 + rate / bw),
        "live": lambda sync, live, rate, bw: live / bw,
    }[name]


@slow
@given(st.sampled_from(["dirty-rate", "redirty", "live"]), st.integers(1400, 3000), BANDWIDTHS, SEEDS)
def test_a_wrong_formula_is_named(name, pass_ms, bandwidth, seed):
    trace = record(simulation([pass_ms], bandwidth, estimate=_wrong(name)), seed=seed)
    verdict = judge(trace)
    assert (verdict.verdict, verdict.formula) == (Judgement.INACCURATE, name), verdict
    # What is left falls by a burst within each update window, so a report of it cannot be placed to 1 %.
    held_to_it = Judgement.INCONCLUSIVE if name == "live" else Judgement.ACCURATE
    assert judge(trace, contract=name).verdict is held_to_it


@slow
@given(
    st.sampled_from([0.5, 0.9, 0.98, 1.02, 1.1, 1.5]), st.integers(1300, 3000), BANDWIDTHS, SEEDS, st.floats(0, 0.05)
)
def test_a_biased_qemu_is_inaccurate_by_its_bias(factor, pass_ms, bandwidth, seed, torn):
    trace = record(
        simulation([pass_ms], bandwidth, estimate=lambda sync, live, rate, bw: factor * sync / bw), seed=seed, torn=torn
    )
    verdict = judge(trace)
    assert verdict.verdict is Judgement.INACCURATE, verdict
    assert abs(verdict.relative_error - (factor - 1)) < 0.003
    assert verdict.formula in (None, "live", "dirty-rate")


@slow
@given(st.integers(1900, 3000), BANDWIDTHS, st.sampled_from([(700, 300), (1, 300), (300, 1), (300, 900)]), SEEDS)
def test_a_limit_that_is_ignored_is_violated(pass_ms, bandwidth, limits, seed):
    configured, used = limits
    trace = record(simulation([pass_ms], bandwidth, configured, used_limit_ms=used), seed=seed)
    assert judge(trace).limit_verdict is LimitJudgement.VIOLATED


def test_passes_of_one_second_cannot_tell_the_formulas_apart():
    verdict = judge(record(Simulation([1020 * 12_000 // 4096], 12_000, zero_pages=0, duration_ms=6000)))
    assert verdict.verdict is Judgement.INCONCLUSIVE
    assert "cannot distinguish last-sync from dirty-rate" in verdict.reasons[0]


def wrong_at_times(sync_bytes, live, rate, bandwidth):
    return sync_bytes / bandwidth * (8 if int(sync_bytes) // 4096 % 2 else 1)


def test_a_report_that_is_wrong_in_some_passes_only_is_inaccurate():
    pages = [6000, 6000, 6001, 6000, 6000, 6001, 6000]
    verdict = judge(record(Simulation(pages, 12_000, estimate=wrong_at_times, duration_ms=20_000)))
    assert verdict.verdict is Judgement.INACCURATE
    assert "in 2 of 9 passes the report is off last-sync, by up to +69" in verdict.reasons[0]


def wrong_late(sync_bytes, live, rate, bandwidth):
    return 1 if live < sync_bytes / 3 else sync_bytes / bandwidth


def test_a_report_that_is_wrong_in_a_part_of_each_pass_is_not_accurate():
    verdict = judge(record(simulation([2000], 12_000, estimate=wrong_late)))
    assert verdict.verdict is Judgement.INCONCLUSIVE
    assert "vary too much" in verdict.reasons[0]


def test_a_qemu_that_never_switches_over_violates_the_limit():
    trace = record(simulation([2000, 2000, 100], 12_000, 300, used_limit_ms=1))
    assert judge(trace).limit_verdict is LimitJudgement.VIOLATED


def test_the_last_of_several_migrations_is_judged():
    bad = record(simulation([2000], 12_000, estimate=lambda sync, live, rate, bw: 10 * sync / bw, fails=True))
    good = record(simulation([2000], 12_000))
    later = tuple(replace(s, t_s=s.t_s + 100) for s in good.samples)
    verdict = judge(replace(bad, samples=(*bad.samples, *later)))
    assert verdict.verdict is Judgement.ACCURATE
    assert "several migrations are recorded: the last one is judged" in verdict.reasons


def test_a_completed_migration_is_judged_by_its_passes_and_its_switchover():
    trace = record(simulation([2000, 2000, 150], 12_000, 300))
    assert trace.samples[-1].status == "completed"
    verdict = judge(trace)
    assert (verdict.verdict, verdict.limit_verdict) == (Judgement.ACCURATE, LimitJudgement.RESPECTED)


def test_a_switchover_far_above_the_limit_is_violated():
    trace = record(simulation([2000, 2000, 1900], 12_000, 10, used_limit_ms=1950))
    assert trace.samples[-1].status == "completed"
    assert judge(trace).limit_verdict is LimitJudgement.VIOLATED


def test_an_unfinished_first_pass_is_inconclusive_and_says_what_is_needed():
    trace = record(simulation([2000], 12_000, duration_ms=1000))
    verdict = judge(trace)
    assert verdict.verdict is Judgement.INCONCLUSIVE
    assert "two passes in a row" in verdict.reasons[0]
    assert verdict.passes == verdict.samples_used == 0


def test_bytes_that_do_not_add_up_are_inconclusive():
    trace = record(simulation([2000], 12_000))
    leaking = tuple(
        replace(s, ram=replace(s.ram, sent_pages=int(s.ram.sent_pages * 0.8))) if s.ram else s for s in trace.samples
    )
    verdict = judge(Trace(leaking, header=trace.header))
    assert verdict.verdict is Judgement.INCONCLUSIVE
    assert any("do not add up" in reason for reason in verdict.reasons)
