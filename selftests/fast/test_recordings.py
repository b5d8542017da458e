# SPDX-License-Identifier: GPL-2.0-or-later
"""The verdict on recordings of real migrations, faulty QEMUs among them."""

from dataclasses import replace

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.trace.events import AIMED
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.recorded import CLEAN, WITH_LIMIT_700, altered, recording


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_qemu_is_accurate_to_a_fifth_of_a_percent(name):
    verdict = judge(read(str(recording(name))))
    assert (verdict.verdict, verdict.formula) == (Judgement.ACCURATE, "last-sync")
    assert abs(verdict.relative_error) <= 0.002
    assert verdict.limit_verdict is LimitJudgement.RESPECTED
    assert verdict.passes >= 2 and verdict.samples_used > 300


def test_the_wider_interval_of_a_700_ms_limit_is_shown_and_the_limit_found():
    verdict = judge(read(str(recording(WITH_LIMIT_700))))
    assert verdict.verdict is Judgement.ACCURATE
    assert abs(verdict.relative_error) <= 0.01
    at_1_ms = judge(read(str(recording("x86_64-kvm-qemu-7.2")))).relative_error_interval
    assert verdict.relative_error_interval.width > 3 * at_1_ms.width
    assert verdict.limit_verdict is LimitJudgement.RESPECTED
    assert verdict.limit.effective_limit_ms == pytest.approx(700, rel=0.1)


def test_a_sample_asked_for_before_the_stop_but_answered_after_it_is_none_of_a_pass():
    trace = read(str(recording("ppc64-tcg-qemu-7.2-asked-while-it-switched-over")))
    [asked] = [one for one in trace.samples if one.t_s < trace.switchover_s <= one.answered_s]
    assert asked.status == "active" and asked.ram.dirty_sync_count == 4
    assert [one.number for one in Evidence.of(trace).passes] == [1, 2, 3]
    assert judge(trace).limit_verdict is LimitJudgement.RESPECTED
    # Cut before the sample that would say that it completed, and begun in the midst of the first pass.
    cut = replace(trace, samples=trace.samples[54:-1])
    assert cut.samples[-1].ram.dirty_sync_count == 4 and not cut.completed
    assert [one.number for one in Evidence.of(cut).passes] == [1, 2, 3]
    assert judge(cut).limit_verdict is not LimitJudgement.VIOLATED


def test_on_hugepages_nothing_was_left_although_the_answer_after_the_sync_came_late():
    trace = read(str(recording("x86_64-tcg-qemu-7.2-hugepages-limit-1000ms")))
    first, *later = Evidence.of(trace).undisturbed.syncs
    page_bytes = first.before.last.page_bytes
    assert first.limit_ms == 1 and first.after.begin_s - first.before.end_s < 0.06
    assert [(sync.limit_ms, sync.unsent_bytes) for sync in later] == [(1000, Interval(0, 0))] * 3
    assert [sync.at_sync_bytes for sync in later] == [Interval(5126 * page_bytes, 5126 * page_bytes)] * 3
    assert later[0].after.begin_s - later[0].before.end_s > 0.1
    # Had the first pass had the same limit, the second might have ended after 64 of the pages that QEMU counts.
    others = replace(trace, events=tuple(event for event in trace.events if event.name != AIMED))
    assert Evidence.of(others).undisturbed.syncs[1].unsent_bytes == Interval(0, 87 * page_bytes)


def test_on_hugepages_what_was_left_in_mid_burst_is_known_to_a_burst():
    trace = read(str(recording("x86_64-tcg-qemu-10.0-hugepages-ended-in-a-burst")))
    second = Evidence.of(trace).undisturbed.syncs[1]
    page_bytes = second.before.last.page_bytes
    # QEMU rested at the end of a hugepage when 67 426 pages were sent. Later, the bandwidth of the window before shows
    # the end of a round, 8 bytes.
    ended = second.before.last.conserved_bytes / page_bytes - 67_426
    left = (ended - 3 * 512) * page_bytes
    assert second.unsent_bytes == Interval(2110 * page_bytes, 2334 * page_bytes) and left == 2142 * page_bytes
    assert second.at_sync_bytes.low <= left + second.after.begin_bytes - second.before.end_bytes
    assert left + second.after.begin_bytes - second.before.end_bytes <= second.at_sync_bytes.high


def test_a_burst_that_a_busy_host_halts_is_one_round_still():
    """The guest had dirtied all of its 5120 pages, which shows that 39 were left."""
    trace = read(str(recording("x86_64-tcg-qemu-7.2-burst-in-parts")))
    second = Evidence.of(trace).undisturbed.syncs[1]
    page_bytes = second.before.last.page_bytes
    assert second.before.number == 2 and second.after.begin_bytes - second.before.end_bytes == 5091 * page_bytes
    assert second.unsent_bytes == Interval(39 * page_bytes, 39 * page_bytes)
    assert second.at_sync_bytes == Interval(5130 * page_bytes, 5130 * page_bytes)


@pytest.mark.parametrize(("formula", "off"), [("dirty-rate", -0.82), ("redirty", 0.98)])
def test_a_rebuilt_qemu_is_inaccurate_and_its_formula_named(formula, off):
    verdict = judge(read(str(recording(f"ppc64-tcg-qemu-7.2-with-{formula}-formula"))))
    assert (verdict.verdict, verdict.formula) == (Judgement.INACCURATE, formula)
    assert verdict.relative_error == pytest.approx(off, abs=0.01)
    assert verdict.expected_ms == pytest.approx(5496, rel=0.001)


def test_a_rebuilt_qemu_is_accurate_by_the_contract_it_was_built_to():
    trace = read(str(recording("ppc64-tcg-qemu-7.2-with-dirty-rate-formula")))
    verdict = judge(trace, contract="dirty-rate")
    assert (verdict.verdict, verdict.contract) == (Judgement.ACCURATE, "dirty-rate")
    assert verdict.expected_ms == pytest.approx(980, rel=0.01)


@pytest.mark.parametrize("name", [*CLEAN, WITH_LIMIT_700])
@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_two_percent_of_bias_are_inaccurate(name, factor):
    def bias(answer):
        answer["expected-downtime"] = int(answer["expected-downtime"] * factor)

    verdict = judge(altered(name, bias))
    assert (verdict.verdict, verdict.formula) == (Judgement.INACCURATE, None)
    assert verdict.relative_error == pytest.approx(factor - 1, abs=0.004)


def test_a_report_that_is_never_renewed_is_inaccurate():
    verdict = judge(altered("ppc64-tcg-qemu-7.2", lambda answer: answer.update({"expected-downtime": 1})))
    assert verdict.verdict is Judgement.INACCURATE
    assert verdict.relative_error < -0.99


def test_a_kib_taken_for_a_kb_is_inaccurate():
    def kb(answer):
        answer["expected-downtime"] = int(answer["expected-downtime"] * 1000 / 1024)

    verdict = judge(altered("x86_64-kvm-qemu-7.2", kb))
    assert verdict.verdict is Judgement.INACCURATE
    assert verdict.relative_error == pytest.approx(1000 / 1024 - 1, abs=0.001)


def test_another_limit_than_the_configured_one_is_violated():
    trace = read(str(recording(WITH_LIMIT_700)))
    for configured, word in ((300, "a pass ended with 6"), (1500, "a pass went on until 6")):
        trace.header["migrate-parameters"]["downtime-limit"] = configured
        verdict = judge(trace)
        assert verdict.limit_verdict is LimitJudgement.VIOLATED
        assert any(word in reason for reason in verdict.reasons), verdict.reasons


@pytest.mark.parametrize("name", CLEAN)
def test_remaining_and_sent_add_up_to_a_page_in_each_pass(name):
    for one in Evidence.of(read(str(recording(name)))).passes:
        assert one.spread_bytes <= 4096


def test_what_was_dropped_is_counted_by_its_reason():
    trace = read(str(recording("ppc64-tcg-qemu-7.2")))
    verdict = judge(trace)
    active = sum(s.status == "active" and s.ram is not None for s in trace.samples)
    assert verdict.samples_used + sum(verdict.samples_dropped.values()) == active
    assert verdict.samples_dropped["before the first update after the sync"] > 10


def test_hugepages_excuse_a_pass_that_goes_on_below_the_limit():
    """QEMU looks at the limit only every 64 pages of the host: seen on 7.2, 10.0 and 11.1."""
    trace = read(str(recording("x86_64-kvm-qemu-7.2")))
    trace.header["migrate-parameters"]["downtime-limit"] = 700
    assert judge(trace).limit_verdict is LimitJudgement.VIOLATED
    trace.header["backing_page_size"] = 2 << 20
    assert judge(trace).limit_verdict is LimitJudgement.INCONCLUSIVE


@pytest.mark.parametrize("name", ["convergence", "xbzrle", "limit-317ms"])
def test_what_qemu_shows_on_a_busy_host_before_it_has_computed_anything_is_not_held_against_it(name):
    verdict = judge(read(str(recording(f"ppc64-tcg-qemu-7.2-busy-host-{name}"))))
    assert verdict.passed and abs(verdict.relative_error) < 0.004, verdict.report
