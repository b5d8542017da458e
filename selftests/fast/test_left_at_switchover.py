# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether QEMU switched over with no more left than downtime-limit allows: both sides of each threshold.

A millisecond is 10 pages: a limit of 100 ms allows 1000, what was left at the stop may be twice that and a burst of
1200 pages before it is called wrong. The ends of the passes themselves are not seen, so that they say nothing.
"""

import pytest

from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from selftests.support.traces import Pass, answers, completed, event, made, precopy, row

RESPECTED = LimitJudgement.RESPECTED, ""
NOT_TOLD = (
    LimitJudgement.INCONCLUSIVE,
    "no end of a pass was seen closely enough to show the effective downtime-limit",
)
LIMIT_MS = 100
UNSEEN, LAST = Pass(20_000, 1_000, 2_000), Pass(20_000)


def violated(left_ms):
    return (
        LimitJudgement.VIOLATED,
        f"QEMU switched over with {left_ms} ms left to send where the downtime-limit is 100 ms",
    )


def limit(rows):
    verdict = judge(made(rows, limit_ms=LIMIT_MS))
    return verdict.limit_verdict, verdict.limit.reason


def stopped(last=LAST, **more):
    rows = precopy(UNSEEN, UNSEEN, last)
    return [*rows, completed(rows, **more)]


@pytest.mark.parametrize(
    ("dirtied", "found"),
    [(0, RESPECTED), (2_200, RESPECTED), (2_201, NOT_TOLD), (3_200, NOT_TOLD), (3_201, violated(320))],
)
def test_what_was_dirtied_after_the_last_pass_was_left(dirtied, found):
    assert limit(stopped(dirtied=dirtied)) == found


@pytest.mark.parametrize(
    ("unsent", "after_ms", "found"),
    [
        (5_399, 100, NOT_TOLD),
        (5_401, 100, violated(320)),
        (4_399, 100, RESPECTED),
        (4_401, 100, NOT_TOLD),
        (10_399, 600, NOT_TOLD),
        (10_401, 600, violated(320)),
    ],
)
def test_what_time_did_not_suffice_to_send_was_left(unsent, after_ms, found):
    """The last sample is so long before the end, and QEMU may have sent one burst more."""
    assert limit(stopped(Pass(30_000, unsent), after_ms=after_ms)) == found


def test_what_was_sent_of_zero_pages_took_no_time():
    rows = stopped(Pass(30_000, 5_402), after_ms=100)
    assert limit(rows) == violated(320)
    ram = rows[-1]["query-migrate"]["ram"]
    ram["duplicate"], ram["normal"] = 3, ram["normal"] - 3
    assert limit(rows) == NOT_TOLD


def test_zero_pages_of_the_first_pass_took_none_in_the_last():
    rows = stopped(Pass(30_000, 5_401), after_ms=100)
    for one in rows:
        one["query-migrate"]["ram"]["duplicate"] += 1_000
    assert limit(rows) == violated(320)


def begun_and_stopped(pages, seen_ms, stop_ms, zeros=0, zeros_before=0):
    """A last pass that was seen for so long, the source's stop after that, and zero pages among what it was sent."""
    rows = precopy(UNSEEN, UNSEEN, Pass(pages, pages - round(10 * seen_ms)))
    stop = event(rows[-1]["t"] + stop_ms / 1000, "source", "STOP")
    rows.append(completed(rows, 500))
    for answer in (*answers(rows, 3), rows[-1]["query-migrate"]):
        answer["ram"]["duplicate"] += zeros
        answer["ram"]["normal"] -= zeros
    for one in rows:
        one["query-migrate"]["ram"]["duplicate"] += zeros_before
    verdict = judge(made(rows, [stop], limit_ms=LIMIT_MS))
    return verdict.limit_verdict, verdict.limit.reason


@pytest.mark.parametrize("zeros_before", [0, 1_000])
@pytest.mark.parametrize(
    ("pages", "seen_ms", "stop_ms", "found"),
    [
        (4_210, 100, 1, RESPECTED),
        (4_230, 100, 1, violated(423)),
        (4_230, 100, 3, RESPECTED),
        (8_000, 100, 370, violated(800)),
        (8_000, 100, 378.9, violated(800)),
        (8_000, 100, 379.1, RESPECTED),
        (8_000, 100, 390, RESPECTED),
        (8_000, 119.9, 1, violated(800)),
        (8_000, 120.1, 1, RESPECTED),
        (3_300, 0, 1, violated(330)),
    ],
)
def test_what_cannot_have_been_sent_before_the_stop_is_no_pass_but_the_switchover(
    pages, seen_ms, stop_ms, found, zeros_before
):
    """201 ms before its first sample the sync may have come; 120 more may have been sent; it was seen for less."""
    assert begun_and_stopped(pages, seen_ms, stop_ms, zeros_before=zeros_before) == found


@pytest.mark.parametrize(("zeros", "found"), [(500, violated(500)), (900, RESPECTED)])
def test_of_a_pass_zero_pages_can_have_been_sent_at_once(zeros, found):
    assert begun_and_stopped(5_000, 100, 1, zeros) == found


@pytest.mark.parametrize(("after_ms", "found"), [(50, violated(800)), (500, RESPECTED)])
def test_without_a_stop_it_may_have_been_sent_until_the_end(after_ms, found):
    rows = precopy(UNSEEN, UNSEEN, Pass(8_000, 7_000))
    assert limit([*rows, completed(rows, after_ms)]) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"after_ms": 600}, violated(500)),
        ({"after_ms": 601}, NOT_TOLD),
        ({"syncs": 2}, violated(500)),
        ({"syncs": 3}, NOT_TOLD),
        ({"status": "failed"}, NOT_TOLD),
    ],
)
def test_an_end_that_was_not_seen_closely_enough_tells_nothing(given, found):
    status = given.pop("status", "completed")
    rows = stopped(dirtied=5_000, **given)
    rows[-1]["query-migrate"]["status"] = status
    assert limit(rows) == found


@pytest.mark.parametrize(("zeros", "found"), [(1_200, violated(500)), (1_201, NOT_TOLD)])
def test_zero_pages_at_the_last_sync_leave_the_bandwidth_open(zeros, found):
    """They make the bandwidth seen a low one: QEMU may have taken a higher."""
    rows = stopped(dirtied=5_000)
    for answer in (*answers(rows, 3), rows[-1]["query-migrate"]):
        answer["ram"]["duplicate"] += zeros
        answer["ram"]["normal"] -= zeros
    assert limit(rows) == found


def test_a_last_pass_whose_sync_was_not_seen_tells_nothing():
    rows = precopy(UNSEEN, UNSEEN, UNSEEN, Pass(20_000))
    rows = [*rows, completed(rows, dirtied=5_000)]
    assert limit(rows) == violated(500)
    assert limit([one for one in rows if one["query-migrate"]["ram"]["dirty-sync-count"] != 3]) == NOT_TOLD


@pytest.mark.parametrize(
    ("number", "after_ms", "found"), [(4, 110, violated(500)), (4, 122, NOT_TOLD), (3, 2, NOT_TOLD)]
)
def test_a_guest_that_somebody_else_stopped_tells_nothing(number, after_ms, found):
    """QEMU goes on with its pass, or sends for long what the guest had dirtied by then."""
    rows = stopped(after_ms=500, dirtied=5_000)
    stop_s = rows[-2]["t"] + 0.001
    rows.insert(-1, row(stop_s + after_ms / 1000, number, 5_000, 58_000))
    trace = made(rows, [event(stop_s, "source", "STOP")], LIMIT_MS)
    verdict = judge(trace)
    assert (verdict.limit_verdict, verdict.limit.reason) == found
