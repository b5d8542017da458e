# SPDX-License-Identifier: GPL-2.0-or-later
"""What was unsent when a pass ended, and the downtime-limit that shows: the ends of the interval, figure by figure.

A millisecond is 10 pages. The last sample before a sync has what was unsent and what was `unseen` of the sending.
"""

import pytest

from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import MBPS, Pass, answers, made, precopy


def effective(rows, limit_ms=100, **more):
    """The effective limit, and the interval of it."""
    verdict = judge(made(rows, limit_ms=limit_ms, **more))
    interval = verdict.limit.effective_limit_interval_ms
    return verdict.limit.effective_limit_ms, interval and (interval.low, interval.high)


def ms(low, high):
    return pytest.approx((low, high))


def test_it_lies_between_the_last_sample_and_that_less_all_that_was_sent_until_the_next():
    assert effective(precopy(Pass(20_000, 1_000, 240), Pass(20_000))) == (pytest.approx(112), ms(100, 124))
    assert effective(precopy(Pass(20_000, 1_000), Pass(20_000))) == (pytest.approx(100), ms(100, 100))


@pytest.mark.parametrize(("unseen", "figure"), [(285, 114.25), (286, None)])
def test_a_figure_is_given_where_the_interval_is_narrower_than_a_quarter_of_it(unseen, figure):
    assert effective(precopy(Pass(20_000, 1_000, unseen), Pass(20_000))) == (
        figure and pytest.approx(figure),
        ms(100, 100 + unseen / 10),
    )


def test_it_may_be_as_wide_as_that():
    """From 70 to 90 ms"""
    assert effective(precopy(Pass(20_000, 700, 200), Pass(20_000))) == (pytest.approx(80), ms(70, 90))


def test_of_two_ends_the_narrower_counts():
    rows = precopy(Pass(20_000, 1_100, 40), Pass(20_000, 1_000, 100), Pass(20_000))
    assert effective(rows) == (pytest.approx(112), ms(110, 114))


@pytest.mark.parametrize(
    ("limit_ms", "more", "code"),
    [
        (100, {"header": {"capabilities": ["auto-converge"]}}, "auto-converge"),
        (None, {}, "not-recorded"),
        (50, {}, "ended-early"),
        (1000, {}, "went-on-in-a-pass"),
        (100, {}, "respected"),
    ],
)
def test_it_is_given_whatever_is_made_of_it(limit_ms, more, code):
    rows = precopy(Pass(20_000, 1_000, 40), Pass(20_000, 1_000, 40), Pass(20_000))
    assert effective(rows, limit_ms, **more) == (pytest.approx(102), ms(100, 104))
    finding = judge(made(rows, limit_ms=limit_ms, **more)).limit
    assert finding.code == finding.check.code == code
    violated = f"downtime-limit is violated: {finding.reason}"
    assert finding.check.sentence == (violated if "-" in code and limit_ms in (50, 1000) else finding.reason)
    assert finding.check.outcome == (
        "passed" if code == "respected" else "failed" if limit_ms in (50, 1000) else "not judged"
    )


def test_it_is_given_where_no_end_was_seen_closely_enough():
    rows = precopy(Pass(20_000, 1_000, 1_500), Pass(20_000, 1_000, 1_500), Pass(20_000))
    finding = judge(made(rows, limit_ms=100)).limit
    assert (finding.code, finding.effective_limit_ms) == ("no-end-seen", None)
    interval = finding.effective_limit_interval_ms
    assert (interval.low, interval.high) == ms(100, 250)
    assert (finding.check.outcome, finding.check.sentence) == ("not judged", finding.reason)
    # A burst and a twentieth more than 10 s are no closer, but far less than a quarter of it.
    late = Pass(200_000, 104_000, 2_300, period_ms=90)
    far = judge(made(precopy(late, late, Pass(200_000, period_ms=90)), limit_ms=10_000)).limit
    assert (far.code, far.effective_limit_ms) == ("no-end-seen", pytest.approx(10_515))


def test_the_narrower_half_of_the_ends_counts_and_each_bound_by_its_median():
    """Of five ends three: 100 to 104, 110 to 115 and 130 to 136 ms."""
    wide = Pass(20_000, 3_000, 2_000)
    rows = precopy(wide, Pass(20_000, 1_000, 40), Pass(20_000, 1_100, 50), Pass(20_000, 1_300, 60), wide, Pass(20_000))
    assert effective(rows)[1] == ms(110, 115)


def test_without_two_passes_in_a_row_nothing_is_known():
    assert effective(precopy(Pass(20_000, 1_000))) == (None, None)


def slower(rows, number, index, share=0.5):
    """One sample of a pass shows a lower bandwidth."""
    list(answers(rows, number))[index]["ram"]["mbps"] = share * MBPS
    return rows


@pytest.mark.parametrize(
    ("number", "index", "near"),
    [(1, -3, True), (1, -4, False), (2, 2, True), (2, 3, False), (1, -1, True), (2, 0, True)],
)
def test_the_bandwidth_is_that_of_the_three_samples_on_each_side(number, index, near):
    """QEMU renews it between them: at half of it what was unsent takes twice as long."""
    rows = slower(precopy(Pass(20_000, 1_000), Pass(20_000)), number, index)
    assert effective(rows)[1] == ms(100, 200 if near else 100)


@pytest.mark.parametrize(("period_ms", "near"), [(99, False), (101, True)])
@pytest.mark.parametrize(("slow", "index"), [(1, 5), (2, -5)])
def test_where_samples_come_slower_than_it_is_renewed_it_may_be_any_of_both_passes(period_ms, near, slow, index):
    periods = {number: period_ms if number == slow else 20 for number in (1, 2)}
    rows = precopy(Pass(41_000, 1_000, period_ms=periods[1]), Pass(40_000, period_ms=periods[2]))
    assert effective(slower(rows, slow, index))[1] == ms(100, 200 if near else 100)


def test_a_bandwidth_of_none_is_not_one():
    rows = slower(precopy(Pass(20_000, 1_000), Pass(20_000)), 2, 0, share=0)
    assert effective(rows)[1] == ms(100, 100)


def test_avail_switchover_bandwidth_is_what_qemu_divides_by():
    rows = precopy(Pass(20_000, 1_000), Pass(20_000))
    twice = {"avail-switchover-bandwidth": 2 * MBPS * 125_000}
    assert effective(rows, parameters=twice)[1] == ms(50, 50)


def test_the_last_sample_of_a_pass_may_show_half_of_a_sync():
    """`remaining` already with what the sync found, of a pass that went on for as long as the others."""
    rows = precopy(Pass(20_000, 1_000), Pass(20_000))
    last = list(answers(rows, 1))[-1]
    last["ram"]["remaining"] += 5_000 * 4096
    # The sample before is 200 pages earlier, and until the first of the next pass these were sent.
    assert effective(rows)[1] == ms(100, 120)
