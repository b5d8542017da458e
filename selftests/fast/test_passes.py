# SPDX-License-Identifier: GPL-2.0-or-later
"""Passes as they are put together of samples, and the syncs between them: the figures of each, one by one."""

import math
from dataclasses import replace

import numpy as np
import pytest

from avocado_migdowntime.oracle.limits import Limits
from avocado_migdowntime.oracle.passes import Pass, medians, passes, syncs
from avocado_migdowntime.trace.ram import Ram
from avocado_migdowntime.trace.samples import Sample, Samples

PAGE = 4096


def sample(t_s, number=2, remaining=100, sent=0, mbps=8.0, status="active", latency_ms=0.0, zeros=0):
    """One with so many pages left and sent, at 1000 bytes a millisecond."""
    ram = Ram(remaining * PAGE, PAGE, sent, zeros, number, 0, mbps)
    return Sample(t_s, latency_ms, status, None, ram)


def conserved(*pages):
    """A pass whose samples have so many pages left and sent together."""
    return Pass.of(Samples.of(sample(0.02 * row, remaining=count) for row, count in enumerate(pages)))


@pytest.mark.parametrize(
    ("pages", "spread"),
    [
        ((100, 700), 0.0),
        ((100, 100, 100), 0.0),
        ((100, 102, 104), 2.0),
        ((110, 100, 120, 140), 17.5),  # From 107.5 to 125
        ((100, 101, 102, 103, 190), 2.0),
        ((100, 104, 110, 118, 128, 140), 20.0),  # From 105.5 to 125.5
        (tuple(range(100, 107)), 3.0),
    ],
)
def test_the_spread_is_that_of_the_middle_half_of_three_samples_or_more(pages, spread):
    assert conserved(*pages).spread_bytes == spread * PAGE


def test_at_its_begin_and_at_its_end_it_is_the_median_of_nine():
    pages = [*range(200, 209), *[500] * 5, *range(300, 309)]
    found = conserved(*pages)
    assert (found.begin_bytes, found.end_bytes, found.number) == (204 * PAGE, 304 * PAGE, 2)
    assert (found.begin_s, found.end_s) == (0, pytest.approx(0.02 * 22))


@pytest.mark.parametrize(
    ("times_s", "spacing_s"), [((1,), 0), ((1, 1.5), 0.5), ((1, 1.5, 2.25), 0.625), ((1, 1.25, 1.75, 9), 0.5)]
)
def test_the_spacing_is_the_median_of_the_gaps(times_s, spacing_s):
    assert Pass.of(Samples.of(map(sample, times_s))).spacing_s == spacing_s


def test_the_first_and_the_last_are_those_of_its_samples():
    one = Pass.of(
        Samples.of([sample(0, sent=1, remaining=99), sample(1, sent=2, remaining=98), sample(2, sent=9, remaining=91)])
    )
    assert (one.first.sent_pages, one.last.sent_pages) == (1, 9)


@pytest.mark.parametrize(("off", "sent"), [(1, 11), (2, 10)])
def test_the_last_is_that_whose_figures_belong_together_but_for_a_page(off, sent):
    rows = [sample(0.1 * row, sent=row, remaining=100 - row) for row in range(11)]
    rows.append(sample(2, sent=11, remaining=89 + off))
    assert Pass.of(Samples.of(rows)).last.sent_pages == sent


def test_of_two_samples_that_do_not_belong_together_it_is_the_second():
    found = Pass.of(Samples.of([sample(0, sent=0, remaining=100), sample(1, sent=1, remaining=200)]))
    assert found.last.sent_pages == 1


def counts(*rows, **more):
    return [(one.number, one.samples.t_s.tolist()) for one in passes(Samples.of(rows), **more)]


def test_what_is_not_active_or_has_no_figures_belongs_to_no_pass():
    rows = [
        sample(0, 0),
        sample(1, 1),
        sample(2, 1, status="device"),
        Sample(3, 0, "active"),
        sample(4, 2),
        sample(5, 2, status="completed"),
    ]
    assert counts(*rows) == [(1, [1]), (2, [4])]
    assert counts() == [] and counts(rows[0], rows[3]) == []


def test_what_was_answered_from_the_stop_on_belongs_to_none():
    rows = [sample(1, 1, latency_ms=500), sample(2, 2, latency_ms=500), sample(3, 2, latency_ms=0)]
    assert counts(*rows, stopped_s=2.5) == [(1, [1])]
    assert counts(*rows, stopped_s=2.501) == [(1, [1]), (2, [2])]
    assert counts(*rows, stopped_s=1.0) == []
    assert counts(*rows) == [(1, [1]), (2, [2, 3])]


def test_samples_are_sorted_into_passes_and_stay_in_the_order_of_time():
    numbers = [1, 2, 1, 2, 3, 2, *[4, 3] * 10]
    rows = [sample(t, number) for t, number in enumerate(numbers)]
    assert counts(*rows) == [(number, [t for t, one in enumerate(numbers) if one == number]) for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("figures", "median"), [([5], 5), ([5, 1], 3), ([9, 1, 2], 2), ([4, 1, 9, 2], 3), ([[1, 5], [7, 7]], [3, 7])]
)
def test_medians_are_of_the_last_axis(figures, median):
    assert medians(np.array(figures, dtype=float)).tolist() == median


def around(before, after, limit_ms=None, switchover=None):
    """The sync between two passes."""
    steps = () if limit_ms is None else ((-math.inf, limit_ms),)
    (sync,) = syncs([Pass.of(Samples.of(rows)) for rows in (before, after)], Limits(steps), switchover)
    return sync


BEFORE = [sample(0.02 * row, 1, 20 - row, row) for row in range(10)]
"""The last one has 11 pages left."""
AFTER = [sample(1 + 0.02 * row, 2, 50 - row, 13 + row) for row in range(10)]
"""Four pages were sent in between."""


def pages(interval):
    return interval.low / PAGE, interval.high / PAGE


def test_what_was_left_when_the_pass_ended_lies_between_the_samples_beside_the_sync():
    sync = around(BEFORE, AFTER)
    assert pages(sync.unsent_bytes) == (7, 11)
    # 20 pages were in the first pass and 63 are in both: 43 came at the sync.
    assert pages(sync.at_sync_bytes) == (50, 54)
    assert (sync.limit_ms, sync.limit_bytes, sync.zero_bytes, sync.switchover_bytes_per_ms) == (None, None, 0, None)
    assert (sync.bytes_per_ms.low, sync.wire_bytes_per_ms.high) == (1000, 1000)
    assert (sync.unsent_ms.low, sync.unsent_ms.high) == (7 * PAGE / 1000, 11 * PAGE / 1000)


@pytest.mark.parametrize(
    ("limit_pages", "at_sync"), [(20, (50, 54)), (9, (50, 52)), (7, (50, 50)), (6, (50, 54)), (0, (50, 54))]
)
def test_of_that_no_more_was_left_than_the_limit_allows_unless_it_was_for_certain(limit_pages, at_sync):
    sync = around(BEFORE, AFTER, limit_pages * PAGE / 1000)
    assert pages(sync.at_sync_bytes) == pytest.approx(at_sync)
    assert pages(sync.limit_bytes) == pytest.approx((limit_pages, limit_pages))
    assert pages(sync.unsent_bytes) == (7, 11)


def test_a_limit_of_nothing_leaves_a_page_that_is_between_two_counters():
    before = [sample(0.02 * row, 1, 12 - row, row) for row in range(10)]
    after = [sample(1 + 0.02 * row, 2, 50 - row, 12 + row) for row in range(10)]
    assert pages(around(before, after, 0).at_sync_bytes) == (50, 51)


def test_sent_pages_never_go_back_and_a_sync_finds_no_less_than_nothing():
    fewer = [sample(1 + 0.02 * row, 2, 5 - row // 9, row // 9) for row in range(10)]
    sync = around(BEFORE, fewer)
    assert pages(sync.unsent_bytes) == (11, 11) and pages(sync.at_sync_bytes) == (0, 0)


@pytest.mark.parametrize(("number", "pages_more"), [(0, 8), (1, 12)])
def test_what_a_pass_spreads_by_blurs_what_the_sync_found(number, pages_more):
    """Half of it on either side, of samples next to which the sync does not lie."""
    both = [list(rows) for rows in (long_pass(0, 1, 0), long_pass(1, 2, 43))]
    both[number][10:20] = [
        replace(one, ram=replace(one.ram, remaining_bytes=one.ram.remaining_bytes + pages_more * PAGE))
        for one in both[number][10:20]
    ]
    calm, blurred = around(long_pass(0, 1, 0), long_pass(1, 2, 43)), around(*both)
    assert pages(calm.at_sync_bytes)[0] == pages(calm.at_sync_bytes)[1]
    middle = pages(calm.at_sync_bytes)[0]
    assert pages(blurred.at_sync_bytes) == (middle - pages_more / 2, middle + pages_more / 2)


def long_pass(begin_s, number, found):
    """30 samples, at each of which a page more is sent, of a pass that followed one of 30 pages."""
    sent = 29 * (number - 1)
    return [sample(begin_s + 0.02 * row, number, 50 + found - row - sent, sent + row) for row in range(30)]


def with_mbps(rows, mbps):
    """The same with these bandwidths at some of the rows."""
    return [replace(one, ram=replace(one.ram, mbps=mbps.get(row, one.ram.mbps))) for row, one in enumerate(rows)]


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ({6: 4.0}, {3: 16.0}, (8, 8)),
        ({7: 4.0}, {2: 16.0}, (4, 16)),
        ({9: 0.5}, {0: 0.0}, (0.5, 8)),
        ({7: 0.0, 8: 0.0, 9: 3.0}, {0: 0.0, 1: 0.0, 2: 0.0}, (3, 3)),
    ],
)
def test_the_bandwidth_is_one_of_the_three_samples_on_either_side_that_show_one(before, after, seen):
    sync = around(with_mbps(BEFORE, before), with_mbps(AFTER, after))
    assert (sync.wire_bytes_per_ms.low, sync.wire_bytes_per_ms.high) == (125 * seen[0], 125 * seen[1])


@pytest.mark.parametrize(("gap_s", "seen"), [(0.09, (8, 8)), (0.11, (4, 16))])
def test_at_slower_sampling_it_is_one_of_any_of_both_passes(gap_s, seen):
    slower = [replace(one, t_s=gap_s * row) for row, one in enumerate(BEFORE)]
    after = [replace(one, t_s=one.t_s + 1) for one in AFTER]
    sync = around(with_mbps(slower, {0: 4.0}), with_mbps(after, {9: 16.0}))
    assert (sync.wire_bytes_per_ms.low, sync.wire_bytes_per_ms.high) == (125 * seen[0], 125 * seen[1])


def test_zero_pages_are_those_from_two_windows_before_the_end_of_the_pass_on():
    before = [sample(0.1 * row, 1, 20 - row, row, zeros=row) for row in range(10)]
    after = [sample(1 + 0.02 * row, 2, 50 - row, 13 + row, zeros=12) for row in range(10)]
    assert around(before, after).zero_bytes == (12 - 7) * PAGE


def test_it_is_divided_by_the_bandwidth_that_is_set_for_the_switchover():
    sync = around(BEFORE, AFTER, 2, switchover=5000.0)
    assert (sync.bytes_per_ms.low, sync.bytes_per_ms.high, sync.wire_bytes_per_ms.low) == (5000, 5000, 1000)
    assert (sync.limit_bytes.low, sync.limit_bytes.high) == (10_000, 10_000)
    assert sync.divisor_of(Samples.of(AFTER)).tolist() == [5000] * 10
    assert around(BEFORE, AFTER).divisor_of(Samples.of(AFTER)).tolist() == [1000] * 10


@pytest.mark.parametrize(("mbps", "number", "seen"), [(8.0, 2, True), (0.5, 2, True), (0.0, 2, False), (8.0, 3, False)])
def test_a_sync_is_seen_between_passes_that_follow_each_other_where_something_was_sent(mbps, number, seen):
    before = [sample(0.02 * row, 1, 20 - row, row, mbps) for row in range(10)]
    after = [sample(1 + 0.02 * row, number, 50 - row, 13 + row) for row in range(10)]
    found = syncs([Pass.of(Samples.of(rows)) for rows in (before, after)], Limits())
    assert len(found) == int(seen)
