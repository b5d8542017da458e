# SPDX-License-Identifier: GPL-2.0-or-later
"""The bandwidth against what was sent: where windows end, what stays open, and what is judged by it then."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avocado_migdowntime.faults.figures import BandwidthHalved
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.windows import _Stretch, sending
from avocado_migdowntime.trace.figures import Column
from avocado_migdowntime.trace.reading import Reading
from avocado_migdowntime.trace.samples import Samples
from avocado_migdowntime.verdict.bandwidth import BandwidthFinding, judge_bandwidth
from avocado_migdowntime.verdict.codes import BANDWIDTH, CODES
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.migrations import of
from ..support.recorded import recording
from ..support.windows import Sender

ZERO_PAGES = "ppc64-tcg-qemu-10.0-switched-over-without-a-sync"
"""It ends with its first pass, whose zero pages leave QEMU's buffer once in several windows."""
RECORDINGS = sorted(
    path
    for path in (Path(__file__).parents[1] / "recordings").glob("*.jsonl.gz")
    if path.name != f"{ZERO_PAGES}.jsonl.gz"
)
STEADY = ("qemu-5.2", "qemu-7.2", "qemu-11.1", "limit-700ms", "formula")
"""How the names of those end whose bandwidth nobody changed, on a host that was not busy."""


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_no_recorded_qemu_has_a_wrong_bandwidth(path):
    seen = Evidence.of(read(str(path))).sending
    assert seen.error.low <= 0 <= seen.error.high
    if path.name.removesuffix(".jsonl.gz").endswith(STEADY):
        assert seen.error.width < 0.025 and abs(seen.likely_error) < 0.0015


def test_a_pass_of_zero_pages_shows_no_bandwidth():
    assert judge(read(str(recording(ZERO_PAGES)))).bandwidth.code == "not-seen"


def test_windows_alike_are_told_by_their_bursts():
    """QEMU's bandwidth is the same to the last digit where windows carry the same in the same milliseconds."""
    steady = Sender(late_ms=0).samples(2_000, 15, 1, seed=1)
    assert len(np.unique(steady.mbps)) <= 3  # The 0 of the begin, and windows of 100 ms.
    seen = sending(steady, math.inf)
    assert seen.windows >= 15 and seen.error.width < 0.35 and abs(seen.likely_error) < 0.02


def test_nothing_is_concluded_over_a_gap_in_which_two_updates_may_be():
    whole = Sender().samples(3_000, 15, 1, seed=2)
    gaps = whole.take(np.flatnonzero((whole.t_s % 0.3) > 0.12))
    assert sending(whole, math.inf).windows >= 25
    assert sending(gaps, math.inf) is None


def test_what_came_when_the_guest_was_stopped_does_not_count():
    samples = Sender().samples(3_000, 15, 1, seed=2)
    assert sending(samples, 1.5).windows < sending(samples, math.inf).windows
    assert sending(samples, 0.2) is None


@pytest.mark.parametrize("column", [Column.OPEN_MBPS, Column.OPEN_BYTES])
def test_figures_that_were_rounded_tell_nothing(column):
    samples = Sender().samples(3_000, 15, 1, seed=2)
    table = samples.table.copy()
    table[column] = 0.5
    assert sending(Samples(table, samples.labels), math.inf) is None


def test_a_bandwidth_and_a_report_that_agree_are_both_found_wrong():
    """The product of the two is what was left, so that the one alone tells nothing of the other."""
    verdict = judge(of([2000, 2000], fault=BandwidthHalved()))
    assert (verdict.bandwidth.code, verdict.verdict) == ("not-as-sent", Judgement.INACCURATE)
    assert verdict.bandwidth.error == pytest.approx(-0.5, abs=0.015)
    assert verdict.bandwidth.error_interval.low < -0.5 < verdict.bandwidth.error_interval.high
    assert verdict.relative_error == pytest.approx(1.0, abs=0.03)
    assert verdict.relative_error_interval.low < 1 < verdict.relative_error_interval.high
    assert verdict.reasons[0].startswith("the report is +") and any(
        "mbps is -5" in reason for reason in verdict.reasons
    )
    assert verdict.passed is False


def test_a_wrong_bandwidth_does_not_make_a_right_report_a_wrong_one():
    trace = of([2000, 2000])
    rows = [replace(one, ram=replace(one.ram, mbps=one.ram.mbps / 2)) for one in trace.samples]
    verdict = judge(replace(trace, samples=tuple(rows)))
    assert verdict.bandwidth.code == "not-as-sent" and verdict.report.outcome != "failed"
    assert verdict.relative_error == pytest.approx(0, abs=0.02)


def test_a_burst_after_max_bandwidth_was_raised_is_no_end_of_a_window():
    verdict = judge(read(str(recording("ppc64-tcg-qemu-7.2-cap-raised-in-a-window"))))
    assert verdict.bandwidth.code != "not-as-sent"
    assert verdict.bandwidth.error == pytest.approx(0, abs=0.015)
    assert (verdict.verdict, verdict.relative_error) == (Judgement.ACCURATE, pytest.approx(0, abs=0.002))


@pytest.mark.parametrize("factor", [0.8, 0.95, 1.0, 1.05, 1.25])
def test_what_is_found_of_a_factor_is_the_factor(factor):
    samples = Sender(noise=0.02, mbps_factor=factor).samples(6_000, 15, 1, seed=5)
    finding = judge_bandwidth(Evidence.of(replace(of([2000]), samples=samples, events=())))
    assert finding.code == ("as-sent" if factor == 1 else "not-as-sent")
    assert finding.error == pytest.approx(factor - 1, abs=0.015)


def test_the_times_in_a_text_may_be_cut_so_that_it_tells_nothing():
    trace = read(str(RECORDINGS[0]))
    assert judge(trace).bandwidth.code == "as-sent"
    text = replace(trace, readings=(Reading({}),) * len(trace.samples))
    assert judge(text).bandwidth.code == "not-seen"


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_half_of_each_recorded_bandwidth_is_found(path):
    """By multifd, compressed or not, and by xbzrle, too; but for those of a few windows."""
    trace = read(str(path))
    halved = trace.samples.with_bandwidth(trace.samples.mbps / 2, trace.samples.open_mbps)
    finding = judge_bandwidth(Evidence.of(replace(trace, samples=halved)))
    if path.name.endswith(("asked-while-it-switched-over.jsonl.gz", "cap-raised-in-a-window.jsonl.gz")):
        assert finding.code in ("wide", "not-as-sent")
    else:
        assert finding.code == "not-as-sent" and finding.error == pytest.approx(-0.5, abs=0.015)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_bandwidth_that_is_wrong_gives_way_to_what_was_sent_and_is_open_by_as_much(factor):
    trace = read(str(recording("ppc64-tcg-qemu-7.2")))
    wrong = trace.samples.with_bandwidth(trace.samples.mbps * factor, trace.samples.open_mbps)
    evidence = Evidence.of(replace(trace, samples=wrong))
    sent, off = evidence.at_sent_bandwidth.trace.samples, evidence.sending.error
    ends = wrong.mbps / (1 + off.low), wrong.mbps / (1 + off.high)
    farthest = np.maximum(*(np.abs(end - sent.mbps) for end in ends))
    assert off.low < evidence.sending.likely_error < off.high
    assert sent.open_mbps - wrong.open_mbps == pytest.approx(farthest)


def judged(samples):
    return judge_bandwidth(Evidence.of(replace(of([2000]), samples=samples, events=())))


@pytest.mark.parametrize("factor", [0.0, 0.1, 3.0, 10.0, 100.0])
@pytest.mark.parametrize("count", [1, 6])
def test_a_bandwidth_that_is_wrong_in_one_window_is_no_fault_of_qemus(factor, count):
    samples = Sender(noise=0.02).samples(3_000, 15, 1, seed=5)
    mbps = samples.mbps.copy()
    mbps[90 : 90 + count] *= factor
    finding = judged(samples.with_bandwidth(mbps, samples.open_mbps))
    is_seen = factor * count > 50  # Else it changes less than the ends of windows leave open.
    assert (finding.code, finding.check.outcome) == (("one-place", "undecided") if is_seen else ("as-sent", "passed"))
    assert finding.error == pytest.approx(0, abs=0.015 if is_seen else 0.1)
    if is_seen:
        assert finding.odd.low <= samples.t_s[90] <= finding.odd.high < finding.odd.low + 0.6
        assert f"differ at {finding.odd.low:.2f} to {finding.odd.high:.2f} s" in finding.check.sentence


@pytest.mark.parametrize("windows", [5, 20, 100])
def test_a_counter_that_jumps_once_is_no_fault_of_the_bandwidth(windows):
    samples = Sender(noise=0.02).samples(3_000, 15, 1, seed=5)
    table = samples.table.copy()
    table[Column.TRANSFERRED, 90:] += windows * 1_200_000
    finding = judged(Samples(table, samples.labels))
    assert finding.code == "one-place" and finding.odd.low <= samples.t_s[90] <= finding.odd.high
    assert finding.error == pytest.approx(0, abs=0.015)


@pytest.mark.parametrize("begin", [0, 100])
def test_a_bandwidth_that_is_wrong_for_longer_is_a_fault(begin):
    samples = Sender(noise=0.02).samples(3_000, 15, 1, seed=5)
    mbps = samples.mbps.copy()
    mbps[begin : begin + 100] /= 2
    assert judged(samples.with_bandwidth(mbps, samples.open_mbps)).code == "not-as-sent"


def test_what_was_recorded_in_such_a_window_does_not_judge_the_report():
    trace = read(str(recording("x86_64-kvm-qemu-7.2")))
    plain = judge(trace)
    mbps = trace.samples.mbps.copy()
    odd = (trace.samples.t_s > 3.0) & (trace.samples.t_s < 3.1) & trace.samples.are("active")
    mbps[odd] *= 10
    verdict = judge(replace(trace, samples=trace.samples.with_bandwidth(mbps, trace.samples.open_mbps)))
    assert np.count_nonzero(odd) > 3 and (verdict.bandwidth.code, verdict.passed) == ("one-place", None)
    assert (verdict.report.code, verdict.limit.check.code) == (plain.report.code, plain.limit.check.code)
    assert verdict.bandwidth.check.sentence in verdict.reasons


def test_more_samples_help_only_where_too_little_was_seen():
    assert [code for code in CODES[BANDWIDTH] if not BandwidthFinding(code).needs_no_more] == ["wide", "not-seen"]


def test_the_likely_excess_is_by_what_was_certainly_sent():
    moments_ms, sent_bytes = np.array([[0.0, 100, 200]] * 2), np.array([[0.0, 900, 2000], [50.0, 1000, 2300]])
    assert _Stretch(moments_ms, sent_bytes, np.array([9.0, 10, 11])).likely_excess.tolist() == [100, 0]
