# SPDX-License-Identifier: GPL-2.0-or-later
"""What is seen of how a migration goes, of passes made by hand; a millisecond is 10 pages."""

import pytest

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.observed import observe
from selftests.support.traces import MBPS, PAGE_BYTES, PAGES_PER_MS, Pass, made, precopy, row

SAME = Pass(20_000)
BYTES_PER_MS = PAGES_PER_MS * PAGE_BYTES


def observed(*passes, more=(), **given):
    return observe(Evidence.of(made([*precopy(*passes), *more], **given)))


def test_nothing_is_observed_before_a_pass_was_seen_from_end_to_end():
    assert observed(SAME) is None
    assert len(observed(SAME, SAME).syncs) == 1


def test_syncs_between_passes_of_three_samples_and_more_are_enough_by_themselves():
    short = Pass(300, period_ms=20)  # Of 0, 20 and 30 ms
    shorter = Pass(200, period_ms=20)  # Of 0 and 20 ms
    assert [sync.after.number for sync in observed(SAME, SAME, short, SAME).syncs] == [2, 3, 4]
    assert [sync.after.number for sync in observed(SAME, SAME, shorter, SAME).syncs] == [2]
    assert [sync.after.number for sync in observed(shorter, shorter, shorter).syncs] == [2, 3]


@pytest.mark.parametrize(
    ("parameters", "threshold"),
    [
        ({}, BYTES_PER_MS),
        ({"avail-switchover-bandwidth": 5_000_000}, 5000),
        ({"avail-switchover-bandwidth": 0}, BYTES_PER_MS),
    ],
)
def test_the_limit_is_multiplied_by_what_is_sent_or_by_what_is_set_for_the_switchover(parameters, threshold):
    found = observed(SAME, SAME, parameters=parameters)
    assert (found.threshold_bytes_per_ms, found.wire_bytes_per_ms) == (threshold, BYTES_PER_MS)


def test_the_bandwidth_is_the_median_of_the_last_two_passes():
    found = observed(Pass(90_000, mbps=1.0), Pass(20_000, mbps=MBPS), Pass(22_000, mbps=3 * MBPS))
    assert found.wire_bytes_per_ms == 3 * BYTES_PER_MS
    assert observed(Pass(20_000), Pass(22_000, mbps=3 * MBPS)).wire_bytes_per_ms == 3 * BYTES_PER_MS


@pytest.mark.parametrize(
    ("still_s", "remaining", "mbps", "wire"),
    [
        (9.99, 5_000, MBPS, BYTES_PER_MS),
        (10.01, 5_000, MBPS, 0),
        (10.01, 0, MBPS, BYTES_PER_MS),
        (0.1, 5_000, 0, BYTES_PER_MS),
        (0.1, 0, 0, BYTES_PER_MS),
    ],
)
def test_nothing_is_sent_where_something_is_left_and_no_page_has_left_for_ten_seconds(still_s, remaining, mbps, wire):
    """From the first sample that had sent as much."""
    rows = precopy(SAME, SAME, Pass(20_000, remaining))
    last = rows[-1]["t"]
    sent = 60_000 - remaining
    more = [row(last + 0.01, 3, remaining, sent), row(last + still_s, 3, remaining, sent, mbps=mbps)]
    found = observed(SAME, SAME, Pass(20_000, remaining), more=more)
    assert (found.wire_bytes_per_ms, found.threshold_bytes_per_ms) == (wire, wire)
    assert found.remaining_bytes == remaining * PAGE_BYTES


def test_where_nothing_is_sent_the_limit_is_multiplied_by_nothing_whatever_is_set_for_the_switchover():
    still = [row(t_s, 3, 5_000, 55_000, mbps=0) for t_s in (5.0, 8.0, 11.0, 15.1)]
    found = observed(SAME, SAME, more=still, parameters={"avail-switchover-bandwidth": 5_000_000})
    assert (found.threshold_bytes_per_ms, found.wire_bytes_per_ms) == (0, 0)


@pytest.mark.parametrize(("remaining", "still_s"), [(0, 0), (5_000, 1.5)])
def test_only_where_something_is_left_is_it_still(remaining, still_s):
    rows = precopy(SAME, SAME, Pass(20_000, remaining))
    more = [row(rows[-1]["t"] + 1.5, 3, remaining, 60_000 - remaining)]
    assert observed(SAME, SAME, Pass(20_000, remaining), more=more).still_s == pytest.approx(still_s)


def test_the_bandwidth_is_renewed_in_a_pass_that_was_seen_for_long_enough():
    assert observed(SAME, SAME).renewed
    assert not observed(SAME, Pass(20_000, unsent=19_600)).renewed


def test_a_whole_pass_without_a_page_is_looked_beyond():
    """The last page had left at 4.002 s, in the pass before, or at the begin of the first that is known."""
    stuck = [row(4.002 + t, 3, 900, 40_000) for t in (0, 0.5, 1.0)]
    assert observed(SAME, SAME, more=stuck).wire_bytes_per_ms == BYTES_PER_MS
    assert observed(SAME, SAME, more=[*stuck, row(14.1, 3, 900, 40_000)]).wire_bytes_per_ms == 0
    nothing = [row(t, number, 900, 0) for number, t in ((1, 0), (1, 1), (2, 1.5), (2, 9.9))]
    assert observe(Evidence.of(made(nothing))).still_s == 9.9
    assert observe(Evidence.of(made(nothing))).wire_bytes_per_ms == BYTES_PER_MS
    assert observe(Evidence.of(made([*nothing, row(10.1, 2, 900, 0)]))).wire_bytes_per_ms == 0


def test_two_samples_that_are_far_apart_show_no_rest():
    """What each has sent differs, so that pages went in between."""
    rows = [row(0, 2, 900, 100), row(60, 3, 900, 40_000), row(120, 4, 900, 80_000)]
    assert observe(Evidence.of(made(rows))).still_s == 0


@pytest.mark.parametrize(
    ("limit_ms", "ends"),
    [
        (300, [(1700, 3_000), (1800, 2_000)]),
        (50, [(1950, 500), (2050, 0)]),
        (9000, [(0, 20_000), (100, 19_000)]),
    ],
)
def test_the_next_sync_finds_the_most_of_what_is_pending_now_and_at_the_end_of_the_pass(limit_ms, ends):
    """Or one window later; the last pass has gone on for 1.5 s."""
    found = observed(SAME, SAME, Pass(20_000, 5_000), limit_ms=limit_ms)
    asked = []

    def pending(ms, unsent_bytes):
        asked.append((ms, unsent_bytes / PAGE_BYTES))
        return {0: 7.0, 1: 9.0, 2: 8.0}[len(asked) - 1]

    assert found.next_bytes(pending) == 9.0
    assert asked == [pytest.approx(one) for one in [(1500, 5_000), *ends]]
    for which in range(3):
        figures = iter([float(row == which) for row in range(3)])
        assert found.next_bytes(lambda *_, figures=figures: next(figures)) == 1.0


def test_where_the_limit_is_not_known_a_pass_ends_as_those_did_that_were_seen_and_the_next_sync_finds_no_less():
    """What was left of the last pass was not seen to be sent."""
    rows = [one for one in precopy(SAME, SAME, SAME) if one["query-migrate"]["ram"]["remaining"] >= 5_000 * PAGE_BYTES]
    found = observe(Evidence.of(made(rows, limit_ms=None)))
    left_bytes = found.syncs[-1].at_sync_bytes.high
    assert left_bytes > 20_000 * PAGE_BYTES
    assert found.next_bytes(lambda ms, unsent_bytes: 1.0) == left_bytes
    asked = []
    found.next_bytes(lambda ms, unsent_bytes: asked.append(unsent_bytes) or 2 * left_bytes)
    assert asked[1] == pytest.approx(left_bytes - 20_000 * PAGE_BYTES)


def test_surprises_are_what_was_found_as_a_share_of_what_was_likely_but_for_the_first_pass():
    """Of passes of whatever length the most that any found is likely: the guest dirties all of its region."""
    found = observed(Pass(30_000), Pass(20_000), Pass(18_000), Pass(22_000))
    assert found.surprises == pytest.approx([18 / 22, 1])
    assert observed(SAME, SAME).surprises == []
