# SPDX-License-Identifier: GPL-2.0-or-later
"""The advised downtime-limit by its figures, on passes made by hand; a millisecond is 10 pages."""

from itertools import pairwise
from math import sqrt
from statistics import fmean, stdev

import pytest

from avocado_migdowntime.prediction.advice import Help
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.prediction.converging import predict_convergence
from selftests.support.traces import MBPS, Pass, made, precopy, row

STUDENT_80 = [1.376, 1.061, 0.978, 0.941, 0.920, 0.906, 0.896, 0.889, 0.883, 0.879, 0.879, 0.879]
"""One-sided points of Student's t from a table, for 1 degree of freedom and more; from 10 on the last one is kept."""
SAME = Pass(20_000)


def advised(*passes, limit_ms=1, more=(), **header):
    return advise(made([*precopy(*passes, limit_ms=limit_ms), *more], limit_ms=limit_ms, **header))


@pytest.mark.parametrize("freedom", range(1, 13))
def test_passes_that_differ_add_what_four_in_five_stay_below(freedom):
    found = [20_000 + (-800 if number % 2 else 800) for number in reversed(range(freedom + 2))]
    # What a sync finds as a share of the mean; that after the first pass, which sends any RAM, is no surprise.
    shares = [pages / fmean(found) for pages in found[1:]]
    wide = STUDENT_80[freedom - 1] * sqrt(1 + 1 / len(shares)) * stdev(shares)
    margin = fmean(shares) + wide - 1
    advice = advised(SAME, *map(Pass, found))
    assert advice.syncs_seen == freedom + 2
    assert f"the passes differ, so the limit includes a margin of {margin:.1%}" in advice.reasons
    seen = 1.1 * 1.04 * max(advice.limit_ms, 2080)
    assert advice.range_ms.high == pytest.approx(max(2080 * (1 + margin) * 1.01, seen), rel=0.001)


def test_if_the_next_pass_may_need_half_as_much_again_no_limit_is_advised():
    advice = advised(Pass(50_000), *map(Pass, (20_000, 3_000, 9_000, 30_000, 1_000)))
    doubt = "the passes differ too much: the next one may need up to 65% more than expected, or less"
    assert (advice.limit_ms, advice.reasons[0]) == (None, doubt)
    assert advised(*[SAME] * 6).limit_ms is not None


@pytest.mark.parametrize(("differ", "told"), [(40, False), (120, True)])
def test_a_margin_of_half_a_percent_is_worth_a_sentence(differ, told):
    """Two surprises: 1.376 × √1.5 of their deviation."""
    advice = advised(SAME, SAME, Pass(20_000 - differ // 2), Pass(20_000 + differ // 2))
    assert any("the passes differ" in reason for reason in advice.reasons) == told


@pytest.mark.parametrize(
    ("passes", "likely_ms", "limit_ms", "most_ms"),
    [
        ([20_000, 8_000], 800, 889, 2289),  # A tenth more
        ([20_000, 5_000, 8_000], 828, 1199, 2289),  # By as much as the passes differ
    ],
)
def test_where_a_sync_may_find_more_the_limit_is_a_tenth_or_the_margin_above_what_is_likely(
    passes, likely_ms, limit_ms, most_ms
):
    """A guest that dirties less in shorter passes: it is open how much in one that the limit of 1000 ms ends."""
    advice = advised(Pass(30_000), *map(Pass, passes), limit_ms=1000)
    assert (advice.limit_ms, advice.range_ms.high) == (limit_ms, most_ms)
    assert advice.reasons[0].startswith(f"the next sync is expected to find {likely_ms * 0.04096:.1f} MB ")


def test_passes_that_are_all_the_same_need_their_size_and_a_percent():
    advice = advised(SAME, SAME, SAME, SAME, limit_ms=300)
    assert (advice.finding, advice.limit_ms, advice.syncs_seen) == ("found", 2021, 3)
    assert advice.reasons == (
        "the next sync is expected to find 81.9 MB to send at 41.0 MB/s",
        "the guest dirties memory as fast as QEMU sends it, 40.9 MB/s of pages over a pass of 2.0 s, so "
        "passes do not get shorter",
        "the present downtime-limit of 300 ms probably never ends it",
    )
    assert (advice.range_ms.low, advice.range_ms.high) == (1981, 2313)
    assert (advice.best_point.number, advice.best_point.limit_ms) == (2, 2001)
    assert advice.best_point.t_s == pytest.approx(2.001)


def test_the_best_point_is_the_sync_that_found_least():
    advice = advised(SAME, SAME, Pass(19_000), SAME)
    assert (advice.best_point.number, advice.best_point.limit_ms) == (3, 1901)
    assert advice.range_ms.low == 1900 // 1.01 + 1


def test_one_pass_cannot_show_how_far_they_differ():
    advice = advised(SAME, SAME)
    assert (advice.finding, advice.syncs_seen) == ("found", 1)
    assert "only one pass was seen from end to end, so it is unknown how much passes differ" in advice.reasons


@pytest.mark.parametrize(
    ("limit_ms", "says", "sure"),
    [(1500, "never ends it", False), (1900, "probably never ends it", False), (2100, "ends it", True)],
)
def test_whether_the_limit_that_is_set_ends_it_is_told(limit_ms, says, sure):
    """Passes of 2 s, and of 100 ms, in which the guest dirties as much: it is sure how much it dirties in between."""
    rows = precopy(Pass(1_000), SAME, SAME, SAME)
    trace = made(rows, limit_ms=limit_ms, header={"capabilities": ["events"]})
    assert predict_convergence(trace, limit_ms).converges is sure
    assert f"the present downtime-limit of {limit_ms} ms {says}" in advise(trace).reasons


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({}, "probably never ends it"),
        ({"capabilities": ["auto-converge", "events"]}, "probably never ends it, unless auto-converge does"),
        (
            {"capabilities": ["postcopy-ram", "dirty-limit"]},
            "probably never ends it, unless dirty-limit or postcopy-ram does",
        ),
    ],
)
def test_that_a_limit_never_ends_it_is_not_certain_where_a_capability_may(header, says):
    rows = precopy(Pass(1_000), SAME, SAME, SAME)
    assert f"the present downtime-limit of 1500 ms {says}" in advise(made(rows, limit_ms=1500, header=header)).reasons


def test_more_bandwidth_or_a_throttled_guest_make_the_default_do():
    """300 ms at 10 pages a millisecond are 3000 of 20 000 pages, which may be dirtied in any time or in 2 s."""
    found = advised(SAME, SAME, SAME).help
    assert (found.throttle_percent, found.least_throttle_percent) == (85, 0)
    assert found.bandwidth_bytes_per_ms == pytest.approx(1.05 * 20_000 * 4096 / 300, rel=0.001)
    # Passes get shorter from a bandwidth on of which what is dirtied in 2 s is 1.15 times as much: 300 ms are unsent.
    assert found.least_bandwidth_bytes_per_ms == pytest.approx(20_000 * 4096 / 2_000 / 1.15 / 1.05, rel=0.01)
    enough = advised(Pass(2_000), Pass(2_000), Pass(2_000)).help
    assert (enough.throttle_percent, enough.bandwidth_bytes_per_ms) == (None, None)


@pytest.mark.parametrize(
    ("still_s", "finding", "reason"),
    [
        (1.9, "found", "the next sync is expected to find"),
        (2.1, "unknown", "no page was sent for the last 2.1 s, so the bandwidth after this pause is unknown"),
        (9.9, "unknown", "no page was sent for the last 9.9 s, so the bandwidth after this pause is unknown"),
        (10.1, "none", "QEMU sends nothing, so no downtime-limit is large enough"),
    ],
)
def test_a_migration_that_was_seen_to_send_no_page_for_ten_seconds_sends_nothing(still_s, finding, reason):
    rows = precopy(SAME, SAME, Pass(20_000, 5_000))
    last = rows[-1]["t"]
    more = [row(last + still_s * part, 3, 5_000, 55_000) for part in (0.5, 1)]
    advice = advise(made([*rows, *more]))
    assert advice.finding == finding
    assert advice.reasons[0].startswith(reason)
    assert (advice.limit_ms is not None) == (finding == "found")


@pytest.mark.parametrize("period_s", [2.1, 7.0, 60.0])
def test_samples_that_are_far_apart_show_no_rest(period_s):
    """A sample in each pass, which it takes a whole period to send; the last is the only one that has sent as much."""
    whole = Pass(round(10_000 * period_s))
    rows = precopy(whole, whole, whole, whole)
    begin = len(rows) // 8
    advice = advise(made(rows[begin :: len(rows) // 4]))
    assert "QEMU sends nothing" not in " ".join(advice.reasons) and advice.finding != "none"


def test_an_advice_is_unknown_before_the_second_pass_alone():
    advice = advised(Pass(20_000, 5_000))
    assert (advice.finding, advice.limit_ms) == ("unknown", None)
    assert advice.reasons[0] == (
        "only pass 1 was seen; its end, within 0.5 s, will show what the guest dirties: record until the second pass"
    )
    none = advise(made([row(0, 0, 0, 0, status="setup")]))
    assert none.reasons[0] == "no pass was seen: record while the migration is active"


def test_the_switchover_bandwidth_is_what_qemu_multiplies_by():
    ten_times = {"avail-switchover-bandwidth": 10 * MBPS * 125_000}
    assert advised(SAME, SAME, SAME, parameters=ten_times).limit_ms == 203


POSTCOPY = "postcopy finishes it whatever the guest dirties"


def test_where_nothing_is_sent_the_network_is_to_be_looked_at():
    """20000 pages are dirtied in 2 s, or in less: sent in 300 ms that they are let."""
    still = [row(t_s, 3, 5_000, 55_000, mbps=0) for t_s in (9.1, 19.2)]
    advice = advised(SAME, SAME, Pass(20_000, 5_000), more=still)
    assert (advice.finding, advice.limit_ms, advice.range_ms, advice.syncs_seen) == ("none", None, None, 2)
    assert advice.reasons == (
        "QEMU sends nothing, so no downtime-limit is large enough: check the network and max-bandwidth",
        POSTCOPY,
    )
    assert advice.help == Help(bandwidth_bytes_per_ms=pytest.approx(20_000 * 4096 / 300), throttle_percent=None)


def test_where_nothing_is_sent_and_nothing_is_left_any_limit_will_do():
    still = [row(5 + 0.02 * number, 3, 0, 40_000, mbps=0) for number in range(150)]
    advice = advised(SAME, SAME, Pass(0), more=still)
    assert (advice.finding, advice.limit_ms, advice.syncs_seen) == ("found", 1, 2)
    assert advice.reasons == ("QEMU sends nothing, and nothing is left to send: any downtime-limit is enough",)
    assert (advice.range_ms.low, advice.range_ms.high) == (1, 1)


def test_a_limit_beyond_the_greatest_is_none():
    """3 million ms are needed."""
    huge = Pass(30_000_000, period_ms=100_000)
    advice = advised(huge, huge, huge)
    assert (advice.finding, advice.limit_ms, advice.steps_ms) == ("none", None, ())
    assert advice.reasons == (
        "the next sync is expected to find 122880.0 MB to send at 41.0 MB/s, "
        "beyond the 2000 s that QEMU takes as downtime-limit",
        "the guest dirties memory as fast as QEMU sends it, 41.0 MB/s of pages over a pass of 3000.0 s, so "
        "passes do not get shorter",
        "the present downtime-limit of 1 ms probably never ends it",
        POSTCOPY,
    )
    assert (advice.best_point.limit_ms, advice.help.throttle_percent) == (3_000_001, None)
    assert advice.range_ms.low == 3_000_000 // 1.01 + 1


@pytest.mark.parametrize(("pages", "percent"), [(296_000, 99), (310_000, None)])
def test_a_guest_can_be_throttled_by_99_percent_at_most(pages, percent):
    """To dirty 3000 pages in the time of a pass."""
    whole = Pass(pages, period_ms=1000)
    assert advised(whole, whole, whole).help.throttle_percent == percent


def test_a_first_pass_that_sends_nothing_does_not_tell_when_it_ends():
    assert advised(Pass(20_000, 5_000, mbps=0)).reasons[0] == (
        "only pass 1 was seen; its end will show what the guest dirties: record until the second pass"
    )


def test_steps_are_limits_that_may_do_each_some_times_the_one_before():
    """Down to a window of 100 ms."""
    advice = advised(SAME, SAME, SAME)
    assert advice.steps_ms[-1] == advice.limit_ms == 2021
    assert all(100 < less < more <= 1.31 * less for less, more in pairwise(advice.steps_ms))
    assert advice.bandwidth_bytes_per_ms == pytest.approx(40_960)


@pytest.mark.parametrize(("pages", "steps_ms"), [(1_280, (130,)), (1_300, (101, 132))])
def test_no_step_is_as_short_as_a_window(pages, steps_ms):
    assert advised(*[Pass(pages)] * 3).steps_ms == steps_ms


def test_the_greatest_limit_that_qemu_takes_is_advised():
    whole = Pass(19_801_975, period_ms=100_000)
    advice = advised(whole, whole, whole)
    assert (advice.finding, advice.limit_ms) == ("found", 2_000_000)


@pytest.mark.parametrize(("now", "enough"), [(0, 85), (20, 88), (30, 90), (95, 100)])
def test_a_guest_that_is_throttled_already_has_to_be_throttled_more(now, enough):
    """Of the share of time for which it runs now, 15 % may be left; QEMU throttles by 99 % at most."""
    rows = precopy(SAME, SAME, SAME)
    for one in rows:
        one["query-migrate"]["cpu-throttle-percentage"] = now
    assert advise(made(rows)).help.throttle_percent == (enough if enough < 100 else None)


def test_what_is_needed_at_least_is_by_the_throttle_under_which_it_was_dirtied():
    """Passes that get longer: auto-converge throttles more from the last sync on, of which no pass shows the effect."""
    rows = precopy(Pass(20_000), Pass(30_000), Pass(45_000))
    last = rows[-1]["query-migrate"]["ram"]["dirty-sync-count"]
    least = advise(made(rows)).help.least_throttle_percent
    for one in rows:
        later = one["query-migrate"]["ram"]["dirty-sync-count"] == last
        one["query-migrate"]["cpu-throttle-percentage"] = 80 if later else 0
    assert advise(made(rows)).help.least_throttle_percent == least > 0


@pytest.mark.parametrize(("pages", "limit_ms", "helps"), [(2_965, 300, False), (2_975, 301, True)])
def test_up_to_the_default_no_help_is_needed(pages, limit_ms, helps):
    advice = advised(*[Pass(pages)] * 3)
    assert (advice.limit_ms, advice.help != Help()) == (limit_ms, helps)


@pytest.mark.parametrize(
    ("first", "wait"),
    [(Pass(3_000_000, 1_001_000, period_ms=1000), "100.1 s"), (Pass(20_000, 5_000, mbps=0.9), "182.0 s")],
)
def test_the_second_pass_begins_when_what_is_left_of_the_first_is_sent(first, wait):
    assert f"its end, within {wait}, will show" in advised(first).reasons[0]


def test_a_course_begins_with_the_first_sync_that_was_seen_and_goes_by_the_bandwidth_of_the_switchover():
    rows = precopy(SAME, SAME, SAME)
    assert predict_convergence(made(rows), 300).first_pass == 2
    late = [one for one in rows if one["query-migrate"]["ram"]["dirty-sync-count"] > 1]
    assert predict_convergence(made(late), 300).first_pass == 3
    ten_times = made(rows, parameters={"avail-switchover-bandwidth": 10 * MBPS * 125_000})
    assert predict_convergence(ten_times, 210).course.converges
    assert not predict_convergence(ten_times, 190).course.converges
    assert not predict_convergence(made(rows), 1900).course.converges
