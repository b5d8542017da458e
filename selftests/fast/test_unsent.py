# SPDX-License-Identifier: GPL-2.0-or-later
"""What was unsent when a pass ended, and the downtime-limit that shows: the ends of the interval, figure by figure.

A millisecond is 10 pages. The last sample before a sync has what was unsent and what was `unseen` of the sending.
"""

from dataclasses import replace

import pytest

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.report.verdict_text import summary
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


@pytest.mark.parametrize(
    ("limit_ms", "capabilities", "code"),
    [
        (820, ["auto-converge"], "respected"),
        (None, [], "not-recorded"),
        (400, [], "ended-early"),
        (2000, [], "went-on-in-a-pass"),
        (820, [], "respected"),
    ],
)
def test_it_is_given_whatever_is_made_of_it(limit_ms, capabilities, code):
    rows = precopy(Pass(20_000, 8_000, 240), Pass(20_000, 8_000, 240), Pass(20_000))
    finding = judge(made(rows, limit_ms=limit_ms, header={"capabilities": capabilities})).limit
    interval, left = finding.effective_limit_interval_ms, finding.unsent_ms
    assert (finding.code, finding.effective_limit_ms) == (code, pytest.approx(862))
    assert ((interval.low, interval.high), (left.low, left.high)) == (ms(800, 924), ms(800, 824))
    violated = code in ("ended-early", "went-on-in-a-pass")
    assert finding.check.sentence == (f"downtime-limit is violated: {finding.reason}" if violated else finding.reason)
    assert finding.check.outcome == ("failed" if violated else "passed" if code == "respected" else "not judged")


def test_it_is_given_where_no_end_was_seen_closely_enough():
    """A burst and a twentieth more than 10 s are no closer, but far less than a quarter of it."""
    late = Pass(200_000, 104_000, 2_300, period_ms=90)
    finding = judge(made(precopy(late, late, Pass(200_000, period_ms=90)), limit_ms=10_000)).limit
    assert (finding.code, finding.effective_limit_ms) == ("no-end-seen", pytest.approx(10_565))
    assert (finding.check.outcome, finding.check.sentence) == ("not judged", finding.reason)


def test_the_narrower_half_of_the_ends_counts_and_what_they_have_in_common():
    """Of five ends three: 400 to 504, 440 to 545 and 460 to 566 ms."""
    wide = Pass(20_000, 7_000, 2_000)
    ends = Pass(20_000, 4_000, 40), Pass(20_000, 4_400, 50), Pass(20_000, 4_600, 60)
    assert effective(wide, *ends, wide, Pass(20_000))[1] == ms(460, 504)


def test_ends_that_have_nothing_in_common_count_by_the_median_of_each_bound():
    """Of 400 to 502, 520 to 623, 440 to 544 and a wider one the first three."""
    ends = Pass(20_000, 4_000, 20), Pass(20_000, 5_200, 30), Pass(20_000, 4_400, 40), Pass(20_000, 9_000, 50)
    assert effective(*ends, Pass(20_000, 9_000, 60), Pass(20_000))[1] == ms(440, 544)


def test_of_four_such_ends_two_count():
    """400 to 502 and 520 to 623 ms; those that are wider are 440 to 544 and 900 to 1005."""
    ends = Pass(20_000, 4_000, 20), Pass(20_000, 5_200, 30), Pass(20_000, 4_400, 40), Pass(20_000, 9_000, 50)
    assert effective(*ends, Pass(20_000))[1] == ms(460, 562.5)


def test_ends_have_in_common_where_one_begins_as_the_other_ends():
    ends = Pass(20_000, 4_000, 40), Pass(20_000, 5_040, 40)
    assert effective(*ends, Pass(20_000)) == (pytest.approx(504), ms(504, 504))


@pytest.mark.parametrize(
    ("unseen", "limit_ms", "told"),
    [
        (40, 1, "closely observed passes ended with 400 to 464 ms left, as far as the samples show"),
        (600, 1, "closely observed passes ended with 400 to 520 ms left, as far as the samples show"),
        (700, 1, None),
        (700, 130, "closely observed passes ended with 400 to 530 ms left, as far as the samples show"),
    ],
)
def test_the_text_says_what_the_passes_ended_with_that_were_seen_most_closely(unseen, limit_ms, told):
    """Of four passes two; nothing where that is open by more than a burst, and more than the limit."""
    ends = Pass(20_000, 4_600, unseen), Pass(20_000, 4_000, unseen), *2 * [Pass(20_000, 9_000, 2_000)]
    rows = precopy(*ends, Pass(20_000), limit_ms=limit_ms)
    verdict = judge(made(rows, limit_ms=limit_ms, header={"backing_page_size": 2 << 20}))
    assert verdict.limit.effective_limit_ms is None
    (line,) = [line for line in summary(verdict).splitlines() if line.startswith("limit ")]
    assert line.partition(": ")[2] == (told or "")


def test_without_two_passes_in_a_row_nothing_is_known():
    assert effective(Pass(20_000, 1_000)) == (None, None)


def test_a_quarter_of_it_is_narrow_enough_for_a_figure():
    """200 ms of 800."""
    assert effective(Pass(20_000, 7_000, 1_000), Pass(20_000)) == (pytest.approx(800), ms(700, 900))


@pytest.mark.parametrize(("unseen", "common"), [(560, (500, 504)), (561, (400, 504))])
def test_an_end_half_as_wide_again_as_the_narrowest_tells_as_much(unseen, common):
    """Of one of 104 ms and one of 156 ms counts what they have in common; one that is wider does not count."""
    assert effective(Pass(20_000, 4_000, 40), Pass(20_000, 5_000, unseen), Pass(20_000))[1] == ms(*common)


@pytest.mark.parametrize(("zeros", "told"), [(99, True), (100, False)])
def test_an_end_with_zero_pages_for_a_tenth_of_a_window_shows_no_limit(zeros, told):
    """Nobody knows where among them QEMU looked."""
    rows = precopy(Pass(20_000, 8_000, 240), Pass(20_000))
    for answer in answers(rows, 2):
        answer["ram"]["duplicate"] += zeros
        answer["ram"]["normal"] -= zeros
    finding = judge(made(rows, limit_ms=100)).limit
    assert (finding.effective_limit_ms is not None) == told
    assert finding.unsent_ms is not None


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


@pytest.mark.parametrize(
    ("host_page", "exact"), [(0, False), (PAGE_BYTES // 2, True), (PAGE_BYTES, True), (2 * PAGE_BYTES, False)]
)
def test_on_hugepages_a_rest_tells_nothing_nor_where_their_size_is_not_known(host_page, exact):
    """QEMU rests in the midst of one there, and looks between two."""
    rows = precopy(RESTED, Pass(20_000, at_once=500))
    assert at_sync(rows, host_page) == (20_000 if exact else 19_500, 20_000)


@pytest.mark.parametrize(("at_once", "exact"), [(1_200, True), (1_201, False)])
@pytest.mark.parametrize("quick", [None, 1, 2])
def test_no_more_than_one_windows_budget_was_sent_after_the_rest(at_once, exact, quick):
    """That of 120 ms: of the larger bandwidth, where the samples beside the sync show two."""
    sent = at_once * (1 if quick is None else 2)
    mbps = {number: MBPS * (2 if number == quick else 1) for number in (1, 2)}
    rows = precopy(replace(RESTED, unsent=5_000, mbps=mbps[1]), Pass(20_000, at_once=sent, mbps=mbps[2]))
    assert at_sync(rows) == (20_000 if exact else 20_000 - sent, 20_000)


@pytest.mark.parametrize(("period_ms", "ended_with_nothing"), [(59, True), (61, False)])
def test_what_was_left_was_sent_before_the_sync_where_more_follows_in_the_same_window(period_ms, ended_with_nothing):
    """Two windows begin 60 ms apart at least."""
    rows = precopy(Pass(20_000, 1_000), Pass(20_000, at_once=1_000, period_ms=period_ms))
    assert at_sync(rows) == (19_000, 19_000 if ended_with_nothing else 20_000)
