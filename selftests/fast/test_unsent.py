# SPDX-License-Identifier: GPL-2.0-or-later
"""What was unsent when a pass ended, and the downtime-limit that shows: the ends of the interval, figure by figure.

A millisecond is 10 pages. The last sample before a sync has what was unsent and what was `unseen` of the sending.
"""

from dataclasses import replace

import pytest

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import MBPS, PAGE_BYTES, Pass, answers, made, precopy


def unsent(rows, limit_ms=100, **more):
    """What was unsent at the last sync, in ms."""
    found = Evidence.of(made(rows, limit_ms=limit_ms, **more)).syncs[-1].unsent_ms
    return found.low, found.high


def effective(*passes):
    """The effective limit, and the interval of it."""
    limit = judge(made(precopy(*passes), limit_ms=100)).limit
    interval = limit.effective_limit_interval_ms
    return limit.effective_limit_ms, interval and (interval.low, interval.high)


def ms(low, high):
    return pytest.approx((low, high))


def test_it_lies_between_the_last_sample_and_that_less_all_that_was_sent_until_the_next():
    assert unsent(precopy(Pass(20_000, 1_000, 240), Pass(20_000))) == ms(100, 124)
    assert unsent(precopy(Pass(20_000, 1_000), Pass(20_000))) == ms(100, 100)


def test_the_limit_lies_above_that_and_below_what_was_left_a_window_before():
    assert effective(Pass(20_000, 8_000, 240), Pass(20_000)) == (pytest.approx(862), ms(800, 924))


@pytest.mark.parametrize(("unseen", "figure"), [(142, 457.1), (143, None)])
def test_a_figure_is_given_where_the_interval_is_narrower_than_a_quarter_of_it(unseen, figure):
    assert effective(Pass(20_000, 4_000, unseen), Pass(20_000)) == (
        figure and pytest.approx(figure),
        ms(400, 500 + unseen / 10),
    )


def test_the_narrower_half_of_the_ends_counts_and_what_they_have_in_common():
    """Of five ends three: 400 to 504, 440 to 545 and 460 to 566 ms."""
    wide = Pass(20_000, 7_000, 2_000)
    ends = Pass(20_000, 4_000, 40), Pass(20_000, 4_400, 50), Pass(20_000, 4_600, 60)
    assert effective(wide, *ends, wide, Pass(20_000))[1] == ms(460, 504)


def test_ends_that_have_nothing_in_common_count_by_the_median_of_each_bound():
    """Of 400 to 502, 520 to 623, 440 to 544 and a wider one the first three."""
    ends = Pass(20_000, 4_000, 20), Pass(20_000, 5_200, 30), Pass(20_000, 4_400, 40), Pass(20_000, 9_000, 50)
    assert effective(*ends, Pass(20_000, 9_000, 60), Pass(20_000))[1] == ms(440, 544)


def test_without_two_passes_in_a_row_nothing_is_known():
    assert effective(Pass(20_000, 1_000)) == (None, None)


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
    assert unsent(rows) == ms(100, 200 if near else 100)


@pytest.mark.parametrize(("period_ms", "near"), [(99, False), (101, True)])
@pytest.mark.parametrize(("slow", "index"), [(1, 5), (2, -5)])
def test_where_samples_come_slower_than_it_is_renewed_it_may_be_any_of_both_passes(period_ms, near, slow, index):
    periods = {number: period_ms if number == slow else 20 for number in (1, 2)}
    rows = precopy(Pass(41_000, 1_000, period_ms=periods[1]), Pass(40_000, period_ms=periods[2]))
    assert unsent(slower(rows, slow, index)) == ms(100, 200 if near else 100)


def test_a_bandwidth_of_none_is_not_one():
    rows = slower(precopy(Pass(20_000, 1_000), Pass(20_000)), 2, 0, share=0)
    assert unsent(rows) == ms(100, 100)


def test_avail_switchover_bandwidth_is_what_qemu_divides_by():
    rows = precopy(Pass(20_000, 1_000), Pass(20_000))
    twice = {"avail-switchover-bandwidth": 2 * MBPS * 125_000}
    assert unsent(rows, parameters=twice) == ms(50, 50)


def test_the_last_sample_of_a_pass_may_show_half_of_a_sync():
    """`remaining` already with what the sync found, of a pass that went on for as long as the others."""
    rows = precopy(Pass(20_000, 1_000), Pass(20_000))
    last = list(answers(rows, 1))[-1]
    last["ram"]["remaining"] += 5_000 * 4096
    # The sample before is 200 pages earlier, and until the first of the next pass these were sent.
    assert unsent(rows) == ms(100, 120)


def at_sync(rows, host_page=PAGE_BYTES):
    """What the last sync found, from least to most, in pages; with a size of the pages behind the guest's RAM."""
    found = Evidence.of(made(rows, limit_ms=None, header={"backing_page_size": host_page})).syncs[-1].at_sync_bytes
    return found.low / PAGE_BYTES, found.high / PAGE_BYTES


RESTED = Pass(20_000, 1_000, rest_ms=80)


def test_a_sync_after_a_rest_came_before_all_that_was_sent_since():
    assert at_sync(precopy(RESTED, Pass(20_000, at_once=999))) == (20_000, 20_000)
    assert at_sync(precopy(replace(RESTED, rest_ms=0), Pass(20_000, at_once=999))) == (19_001, 20_000)


def test_unless_so_much_was_sent_that_nothing_may_have_been_left():
    assert at_sync(precopy(RESTED, Pass(20_000, at_once=1_001))) == (19_000, 20_000)


@pytest.mark.parametrize(("period_ms", "exact"), [(15, False), (16, True)])
def test_a_rest_lasts_at_least_15_ms(period_ms, exact):
    """From the answer that showed it first, which took half a millisecond, to the last question."""
    rested = replace(RESTED, period_ms=period_ms, rest_ms=period_ms)
    assert at_sync(precopy(rested, Pass(20_000, at_once=500))) == (20_000 if exact else 19_500, 20_000)


@pytest.mark.parametrize(("latency_ms", "exact"), [(58.9, True), (59.1, False)])
def test_nor_did_two_windows_begin_between_the_samples(latency_ms, exact):
    """The last is asked for 1 ms before the sync."""
    rows = precopy(RESTED, Pass(20_000, at_once=500))
    next(row for row in rows if row["query-migrate"]["ram"]["dirty-sync-count"] == 2)["latency_ms"] = latency_ms
    assert at_sync(rows) == (20_000 if exact else 19_500, 20_000)
