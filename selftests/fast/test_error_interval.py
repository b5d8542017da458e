# SPDX-License-Identifier: GPL-2.0-or-later
"""The relative error and the ends of its interval, figure by figure: what sampling could not see of a sync counts.

A millisecond is 10 pages, and a report of n ms means anything from n up to n + 1.
"""

from statistics import median

import pytest

from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import MBPS, PAGE_BYTES, Pass, answers, made, precopy

FIRST = Pass(30_000)


def error(rows, limit_ms=100, contract="last-sync", tolerance=0.01):
    """The error, and the ends of its interval."""
    verdict = judge(made(rows, limit_ms=limit_ms), contract, tolerance)
    interval = verdict.relative_error_interval
    return verdict.relative_error, (interval.low, interval.high)


def of(reported_ms, low_ms, high_ms):
    """What the error is of a report of so many ms where what is right lies between two figures."""
    middle_ms = (low_ms + high_ms) / 2
    ends = reported_ms / high_ms - 1, (reported_ms + 1) / low_ms - 1
    return pytest.approx(reported_ms / middle_ms - 1, abs=1e-9), pytest.approx(ends, abs=1e-9)


@pytest.mark.parametrize("reported_ms", [1900, 2000, 2017])
def test_where_the_sync_was_seen_it_is_what_truncation_leaves_open(reported_ms):
    rows = precopy(FIRST, Pass(20_000, expected_ms=reported_ms))
    assert error(rows) == of(reported_ms, 2000, 2000)


@pytest.mark.parametrize(
    ("limit_ms", "unsent", "unseen", "low_ms", "high_ms"),
    [
        (100, 0, 400, 2000, 2000),  # Exactly what was left was sent, and more follows: nothing was left.
        (100, 1, 399, 2000, 2039.9),  # All that was not seen may have been sent, or none of it.
        (100, 900, 500, 2000, 2010),  # No more than the limit allows was left.
        (100, 1_000, 500, 2000, 2000),
        (100, 1_100, 500, 2000, 2050),  # Unless more than that was left for certain.
        (None, 900, 500, 2000, 2050),
    ],
)
def test_what_was_left_at_the_sync_is_bounded_by_the_samples_beside_it_and_by_the_limit(
    limit_ms, unsent, unseen, low_ms, high_ms
):
    rows = precopy(Pass(30_000, unsent, unseen), Pass(20_000, expected_ms=2000))
    assert error(rows, limit_ms) == of(2000, low_ms, high_ms)


def test_a_limit_of_nothing_leaves_no_page_or_one_that_is_between_two_counters():
    rows = precopy(Pass(30_000, 0, 500), Pass(20_000, at_once=1, expected_ms=2000))
    likely, between = error(rows, 0)
    assert likely == 0 and between == of(2000, 2000, 2000.1)[1]


@pytest.mark.parametrize(
    ("before", "after", "low_ms", "high_ms"),
    [(0, 0, 2000, 2000), (40, 0, 1998, 2002), (0, 60, 1997, 2003), (80, 100, 1991, 2009)],
)
def test_remaining_and_sent_that_spread_blur_it_by_half_of_that_on_each_side(before, after, low_ms, high_ms):
    """Half of the samples beyond the edges have so many pages more, so that what is left at the sync stays the same."""
    rows = precopy(FIRST, Pass(20_000, expected_ms=2000))
    for number, spread in ((1, before), (2, after)):
        found = list(answers(rows, number))
        for answer in found[10 : 10 + len(found) // 2]:
            answer["ram"]["remaining"] += spread * PAGE_BYTES
    assert error(rows) == of(2000, low_ms, high_ms)


def test_it_is_taken_from_the_nine_samples_next_to_the_sync():
    """A leak in five of nine on either side shows, one in four does not."""
    for many, right_ms in ((4, 2000), (5, 1990)):
        rows = precopy(FIRST, Pass(20_000, expected_ms=1990))
        for answer in list(answers(rows, 2))[:many]:
            answer["ram"]["remaining"] -= 100 * PAGE_BYTES
        assert error(rows) == of(1990, right_ms, right_ms)


def live(behind_ms, period_ms=20):
    """A pass of 1.8 s whose reports are what was left so long before."""
    said = Pass(20_000, 2_000, period_ms=period_ms, expected_ms=lambda ms: int(2000 - max(0, ms - behind_ms)))
    return precopy(FIRST, said)


@pytest.mark.parametrize(("period_ms", "window_ms"), [(59, 118), (61, 61)])
@pytest.mark.parametrize("behind_ms", [0, 50])
def test_a_report_may_be_of_any_sample_of_the_last_120_ms(period_ms, window_ms, behind_ms):
    left_ms = [2000 - ms for ms in [*range(0, 1800, period_ms), 1800] if ms >= 200]
    # The last sample, at 1.8 s, is nearer to those before it.
    lows = [(left + behind_ms) / (left + window_ms) - 1 for left in left_ms]
    highs = [(left + behind_ms + 1) / left - 1 for left in left_ms]
    found, (low, high) = error(live(behind_ms, period_ms), contract="live")
    assert found == pytest.approx(median((left + behind_ms) / left - 1 for left in left_ms))
    assert (low, high) == pytest.approx((median(lows), median(highs)), abs=1e-9)


@pytest.mark.parametrize(("behind_ms", "off"), [(110, False), (160, True)])
def test_a_report_of_before_that_window_is_off(behind_ms, off):
    found = judge(made(live(behind_ms)), "live", 0.002).reasons[0]
    assert found.startswith("the report is +") == off, found


def test_over_several_passes_it_is_the_median_of_theirs():
    said = [Pass(20_000, expected_ms=ms) for ms in (1990, 2001, 2012)]
    assert error(precopy(FIRST, *said)) == of(2001, 2000, 2000)


def test_the_bandwidth_of_the_moment_is_what_is_divided_by():
    rows = precopy(FIRST, Pass(20_000, mbps=MBPS / 2, expected_ms=4000))
    assert error(rows) == of(4000, 4000, 4000)


def test_how_the_pass_before_began_does_not_matter_nor_how_this_one_ended():
    rows = precopy(FIRST, Pass(20_000, expected_ms=1990))
    for answer in (*list(answers(rows, 1))[:20], *list(answers(rows, 2))[-20:]):
        answer["ram"]["remaining"] += 100 * PAGE_BYTES
    assert error(rows) == of(1990, 2000, 2000)
