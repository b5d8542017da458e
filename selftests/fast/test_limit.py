# SPDX-License-Identifier: GPL-2.0-or-later
"""What the ends of passes say of the downtime-limit: each reason, and both sides of each threshold.

A millisecond is 10 pages, a burst of sending 120 ms, and the bandwidth may have moved by 5 %.
"""

import pytest

from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from selftests.support.traces import Pass, answers, from_the_second, made, precopy, row

NOT_SEEN = "no end of a pass was seen closely enough to show the effective downtime-limit"
RESPECTED = LimitJudgement.RESPECTED, ""
NOT_TOLD = LimitJudgement.INCONCLUSIVE, NOT_SEEN
FIRST = Pass(30_000)


def limit(rows, limit_ms, **more):
    verdict = judge(made(rows, limit_ms=limit_ms, **more))
    return verdict.limit_verdict, verdict.limit.reason


def ending(unsent, unseen=0, passes=4, pages=20_000):
    """Passes that all end with so many pages left."""
    return precopy(*[Pass(pages, unsent, unseen)] * passes)


@pytest.mark.parametrize(
    ("unsent", "unseen", "found"),
    [
        (1050, 0, RESPECTED),
        (1051, 0, RESPECTED),  # One page may be between two counters.
        (
            1052,
            0,
            (LimitJudgement.VIOLATED, "a pass ended with 105 ms still unsent, but the downtime-limit is 100 ms"),
        ),
        (1000, 1250, RESPECTED),
        (1000, 1251, NOT_TOLD),
    ],
)
def test_a_pass_may_end_with_what_the_limit_allows_a_moved_bandwidth_and_a_burst(unsent, unseen, found):
    assert limit(ending(unsent, unseen), 100) == found


@pytest.mark.parametrize(
    ("unsent", "unseen", "found"),
    [
        (8300, 0, RESPECTED),
        (8200, 100, RESPECTED),
        (
            8200,
            99,
            (
                LimitJudgement.VIOLATED,
                "a pass went on until 830 ms were unsent although the downtime-limit is 1000 ms",
            ),
        ),
    ],
)
def test_a_pass_may_go_on_below_the_limit_for_one_burst(unsent, unseen, found):
    assert limit(ending(unsent, unseen), 1000) == found


@pytest.mark.parametrize("header", [{}, {"backing_page_size": 4096}])
def test_on_pages_as_large_as_the_guests_own_it_looks_after_each_burst(header):
    assert limit(ending(8_300), 1000, header=header) == RESPECTED
    assert limit(ending(8_299), 1000, header=header)[0] is LimitJudgement.VIOLATED


@pytest.mark.parametrize(("unsent", "excused"), [(13_532, True), (13_531, False)])
def test_between_two_looks_qemu_sends_64_hugepages(unsent, excused):
    rows = ending(unsent, passes=3, pages=60_000)
    went_on = f"a pass went on until {unsent / 10:.0f} ms were unsent although the downtime-limit is 5000 ms"
    assert limit(rows, 5000, header={"backing_page_size": 2 << 20}) == (
        NOT_TOLD if excused else (LimitJudgement.VIOLATED, went_on)
    )
    # Pages of the host as large as those of the guest are no hugepages.
    assert limit(rows, 5000, header={"backing_page_size": 4096}) == (LimitJudgement.VIOLATED, went_on)


@pytest.mark.parametrize(("zeros", "excused"), [(2000, True), (1999, False)])
def test_zero_pages_around_a_sync_may_have_gone_within_no_time(zeros, excused):
    rows = ending(6_300, passes=3)
    for number in (2, 3):
        for answer in answers(rows, number):
            answer["ram"]["duplicate"] = zeros * (number - 1)
            answer["ram"]["normal"] -= zeros * (number - 1)
    judgement, reason = limit(rows, 1000)
    assert (judgement, reason == NOT_SEEN) == (
        (LimitJudgement.INCONCLUSIVE, True) if excused else (LimitJudgement.VIOLATED, False)
    )
    assert excused or reason.startswith("a pass went on until 630 ms were unsent")


@pytest.mark.parametrize(
    ("wrong", "passes", "violated"), [(1, 4, False), (1, 3, True), (2, 8, False), (2, 7, True), (3, 3, True)]
)
def test_more_than_a_quarter_of_the_ends_seen_have_to_be_wrong(wrong, passes, violated):
    """The last pass is not seen to end."""
    ends = [Pass(10_000, 2_500)] * wrong + [Pass(10_000, 1_000)] * (passes - wrong)
    too_early = "a pass ended with 250 ms still unsent, but the downtime-limit is 100 ms"
    found = (LimitJudgement.VIOLATED, too_early) if violated else RESPECTED
    assert limit(precopy(*ends, Pass(10_000)), 100) == found


WENT_ON = (
    "QEMU went on 2 times although at most 480 ms were left at a sync and the downtime-limit is 1000 ms",
    "a pass went on until 0 ms were unsent although the downtime-limit is 1000 ms",
)


@pytest.mark.parametrize(
    ("first", "second", "third", "reason"),
    [
        (4_800, 4_700, 20_000, WENT_ON[0]),
        (4_800, 20_000, 4_700, WENT_ON[0]),
        (4_998, 4_998, 20_000, WENT_ON[0].replace("480", "500")),
        (4_998, 4_999, 20_000, WENT_ON[1]),  # A page less than half of the limit
        (4_800, 20_000, 20_000, WENT_ON[1]),
    ],
)
def test_two_syncs_far_below_the_limit_should_have_been_the_switchover(first, second, third, reason):
    rows = precopy(FIRST, Pass(first), Pass(second), Pass(third), Pass(20_000))
    assert limit(rows, 1000) == (LimitJudgement.VIOLATED, reason)


def test_the_last_sync_seen_may_have_been_the_switchover():
    rows = precopy(FIRST, Pass(4_800), Pass(20_000), Pass(20_000), Pass(4_700))
    assert limit(rows, 1000) == (LimitJudgement.VIOLATED, WENT_ON[1])


TOO_EARLY = ending(5_000)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"limit_ms": None}, "the downtime-limit is not recorded"),
        (
            {"limit_ms": 100, "header": {"capabilities": ["postcopy-ram"]}},
            "with postcopy-ram QEMU 11.1 syncs in every window, so passes do not show the limit",
        ),
    ],
)
def test_what_is_not_to_be_seen_of_the_limit_is_said(given, reason):
    assert limit(TOO_EARLY, **given) == (LimitJudgement.INCONCLUSIVE, reason)
    assert limit(TOO_EARLY, 100, header={"capabilities": ["xbzrle"]})[0] is LimitJudgement.VIOLATED


SLOW_END = "auto-converge may sync in mid-pass after 5 s, so passes of that length do not show the limit"


@pytest.mark.parametrize(
    ("release", "pages", "is_seen"),
    [
        ((10, 0), 45_000, True),
        ((10, 0), 55_000, False),
        ((9, 2), 55_000, False),
        ((9, 1), 55_000, True),
        ((7, 2), 55_000, True),
        (None, 55_000, False),
    ],
)
def test_auto_converge_may_sync_in_the_midst_of_a_pass_that_is_long_enough(release, pages, is_seen):
    """From 9.2 on. A pass of so many pages lasts for a tenth as many ms, less what is unsent when it ends."""
    header = {"capabilities": ["xbzrle", "auto-converge"]}
    if release is not None:
        header["qemu"] = {"qemu": {"major": release[0], "minor": release[1], "micro": 0}}
    rows = from_the_second(FIRST, Pass(pages, 5_000), Pass(pages, 5_000), Pass(pages))
    told, why = limit(rows, 100, header=header)
    assert told is (LimitJudgement.VIOLATED if is_seen else LimitJudgement.INCONCLUSIVE)
    assert is_seen or why == SLOW_END


@pytest.mark.parametrize(("major", "is_seen"), [(5, True), (7, True), (8, False), (9, False), (10, True), (11, False)])
def test_with_postcopy_ram_the_limit_shows_on_releases_that_sync_at_it(major, is_seen):
    header = {"capabilities": ["postcopy-ram"], "qemu": {"qemu": {"major": major, "minor": 0, "micro": 0}}}
    judged = LimitJudgement.VIOLATED if is_seen else LimitJudgement.INCONCLUSIVE
    assert limit(TOO_EARLY, 100, header=header)[0] is judged


@pytest.mark.parametrize("status", ["postcopy-active", "postcopy-paused"])
def test_after_postcopy_began_nothing_shows_the_limit(status):
    last = TOO_EARLY[-1]
    begun = row(last["t"] + 0.02, 4, 5_000, 70_000, status=status)
    assert limit([*TOO_EARLY, begun], 100) == (
        LimitJudgement.INCONCLUSIVE,
        "postcopy began, so the last pass does not show the limit",
    )
    begun["query-migrate"]["status"] = "device"
    assert limit([*TOO_EARLY, begun], 100)[0] is LimitJudgement.VIOLATED
