# SPDX-License-Identifier: GPL-2.0-or-later
"""A switchover after a pass whose sync was not seen: what was sent after the stop tells what was left.

A millisecond is 10 pages: a limit of 100 ms allows 1000, and a burst is 1200 pages. More than twice the limit and a
burst has to be left for certain, which leaves out what may have gone until the stop.
"""

import pytest

from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from selftests.support.traces import MBPS, Pass, completed, event, made, precopy, row

RESPECTED = LimitJudgement.RESPECTED, ""
NOT_TOLD = (
    LimitJudgement.INCONCLUSIVE,
    "no end of a pass was seen closely enough to show the effective downtime-limit",
)


def violated(left_ms):
    reason = f"QEMU switched over with {left_ms} ms left to send where the downtime-limit is 100 ms"
    return LimitJudgement.VIOLATED, reason


def limit(sent, stop_ms=10, alter=None, since_s=0.0, more=(), period_ms=20, **given):
    """What is found of one pass, stopped so long after its last sample, with so many pages sent after that.

    `alter` changes the figures of the end, and of the samples `since_s` before the last one.
    """
    rows = precopy(Pass(30_000, sent, period_ms=period_ms))
    final = completed(rows, stop_ms + 40)
    if alter:
        late = [row for row in rows if row["t"] > rows[-1]["t"] - since_s]
        for row in (*late, final):
            alter(row["query-migrate"]["ram"])
    stop = event(rows[-1]["t"] + stop_ms / 1000, "source", "STOP")
    verdict = judge(made([*rows, *more, final], [stop], **{"limit_ms": 100, **given}))
    return verdict.limit_verdict, verdict.limit.reason


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (2_200, RESPECTED),  # The limit and a burst
        (2_201, NOT_TOLD),
        (4_499, NOT_TOLD),  # 3200 pages, a burst, and what goes in 10 ms
        (4_502, violated(320)),
        (9_000, violated(770)),
    ],
)
def test_all_that_is_sent_after_the_stop_had_been_left(sent, found):
    assert limit(sent) == found


@pytest.mark.parametrize(("stop_ms", "found"), [(419, violated(321)), (419.9, violated(320)), (420.1, NOT_TOLD)])
def test_what_may_have_gone_until_the_stop_was_not_left(stop_ms, found):
    assert limit(8_600, stop_ms) == found


def test_too_long_before_the_stop_nothing_is_told():
    assert limit(20_000, 599) == violated(1281)
    assert limit(20_000, 601) == NOT_TOLD


@pytest.mark.parametrize(("zeros", "found"), [(1_200, violated(670)), (1_201, NOT_TOLD)])
def test_zero_pages_may_have_gone_in_no_time_and_make_the_bandwidth_a_low_one(zeros, found):
    def alter(ram):
        ram["duplicate"] = zeros
        ram["normal"] -= zeros

    assert limit(9_200, alter=alter) == found


def test_zero_pages_of_longer_ago_have_no_part_in_the_last_bandwidths():
    """They stand in all samples of the last half a second."""

    def alter(ram):
        ram["duplicate"] = 5_000
        ram["normal"] -= 5_000

    assert limit(9_200, alter=alter, since_s=0.5) == violated(790)


@pytest.mark.parametrize(("sync", "found"), [(1, NOT_TOLD), (2, violated(770))])
def test_a_guest_that_is_stopped_for_another_reason_goes_on_in_the_same_pass(sync, found):
    """A sample after the stop tells: the switchover syncs at once."""
    after = row(2.1 + 0.03, sync, 8_500, 21_500)
    assert limit(9_000, more=[after]) == found


@pytest.mark.parametrize(("period_ms", "found"), [(97, violated(770)), (103, NOT_TOLD)])
def test_slow_samples_do_not_tell_why_the_guest_was_stopped(period_ms, found):
    assert limit(9_000, period_ms=period_ms) == found


def test_without_a_limit_or_a_stop_nothing_is_told():
    assert limit(9_000, limit_ms=None) == (LimitJudgement.INCONCLUSIVE, "the downtime-limit is not recorded")
    rows = precopy(Pass(30_000, 9_000))
    verdict = judge(made([*rows, completed(rows)], limit_ms=100))
    assert (verdict.limit_verdict, verdict.limit.reason) == NOT_TOLD


def test_the_switchover_bandwidth_is_what_the_limit_is_multiplied_by():
    parameters = {"avail-switchover-bandwidth": 10 * MBPS * 125_000}
    assert limit(9_000, parameters=parameters) == RESPECTED
