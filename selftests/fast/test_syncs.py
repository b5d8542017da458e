# SPDX-License-Identifier: GPL-2.0-or-later
"""The syncs between passes as they are put together of samples: the figures of each, one by one."""

import math
from dataclasses import replace

import numpy as np
import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.limits import Limits
from avocado_migdowntime.oracle.other_pages import Others
from avocado_migdowntime.oracle.passes import Pass
from avocado_migdowntime.oracle.syncs import syncs
from avocado_migdowntime.trace.samples import Samples

from ..support.recorded import recording
from ..support.samples import PAGE, sample


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


@pytest.mark.parametrize(("limit_pages", "left"), [(None, 5.5), (12, 5.5), (11, 5.5), (10.9, 0)])
def test_a_pass_that_went_on_although_all_that_was_left_did_not_fit_the_limit_likely_ended_with_nothing(
    limit_pages, left
):
    """Up to 11 pages were left, or none; where they fitted the limit it is in the middle."""
    after = [sample(1 + 0.02 * row, 2, 50 - row, 21 + row) for row in range(10)]
    sync = around(BEFORE, after, limit_pages and limit_pages * PAGE / 1000)
    assert pages(sync.unsent_bytes) == (0, 11)
    assert sync.likely_bytes / PAGE == 51 + left


@pytest.mark.parametrize(("limit_pages", "left"), [(None, 9), (12, 9), (9, 8), (6, 9)])
def test_of_what_was_left_for_certain_and_may_have_been_the_middle_is_likely(limit_pages, left):
    sync = around(BEFORE, AFTER, limit_pages and limit_pages * PAGE / 1000)
    assert sync.likely_bytes / PAGE == pytest.approx(43 + left)


def test_a_limit_of_nothing_leaves_a_page_that_is_between_two_counters():
    before = [sample(0.02 * row, 1, 12 - row, row) for row in range(10)]
    after = [sample(1 + 0.02 * row, 2, 50 - row, 12 + row) for row in range(10)]
    assert pages(around(before, after, 0).at_sync_bytes) == (50, 51)


def test_sent_pages_never_go_back_and_a_sync_finds_no_less_than_nothing():
    fewer = [sample(1 + 0.02 * row, 2, 5 - row // 9, row // 9) for row in range(10)]
    sync = around(BEFORE, fewer)
    assert pages(sync.unsent_bytes) == (11, 11) and pages(sync.at_sync_bytes) == (0, 0)
    assert sync.likely_bytes == 0


def test_where_the_pages_behind_the_ram_are_not_known_a_rest_tells_nothing():
    """QEMU sent nothing for the last 60 ms of the pass, and three pages until the next sample."""
    rested = [sample(0.02 * row, 1, 20 - min(row, 6), min(row, 6)) for row in range(10)]
    after = [sample(0.2 + 0.02 * row, 2, 50 - row, 9 + row) for row in range(10)]
    both = [Pass.of(Samples.of(rows)) for rows in (rested, after)]
    (unknown,), (known,) = syncs(both, Limits()), syncs(both, Limits(), others=Others(PAGE))
    assert (pages(unknown.unsent_bytes), pages(known.unsent_bytes)) == ((11, 14), (14, 14))


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


def rested(since_s, last_s=0.0, first_s=0.02):
    """What was unsent after a pass that sent nothing from `since_s` to its last sample, and three pages after that."""
    before = [sample(since_s - 0.02 * row, 1, 14 + row, 10 - row) for row in reversed(range(5))]
    before.append(sample(last_s, 1, 14, 10))
    after = [sample(first_s + 0.02 * row, 2, 50 - row, 13 + row) for row in range(5)]
    (sync,) = syncs([Pass.of(Samples.of(rows)) for rows in (before, after)], Limits(), others=Others(PAGE))
    assert pages(sync.unsent_bytes) in ((14, 14), (11, 14))
    return pages(sync.unsent_bytes) == (14, 14)


@pytest.mark.parametrize(
    ("since_s", "is_rest"), [(-0.0149, False), (-0.015, True), (-0.09995, True), (-0.10001, False)]
)
def test_a_rest_is_seen_over_15_ms_by_samples_that_come_within_a_window(since_s, is_rest):
    """Of samples that are further apart none shows what became of the window in between."""
    assert rested(since_s) == is_rest


@pytest.mark.parametrize(("first_s", "of_one_window"), [(0.06, True), (0.0601, False)])
def test_after_a_rest_the_next_sample_has_to_come_within_60_ms(first_s, of_one_window):
    assert rested(-0.05, first_s=first_s) == of_one_window


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
    sync = around(with_mbps(BEFORE, before), with_mbps(begun_at(BEFORE[-1].t_s + 0.02, AFTER), after))
    assert (sync.wire_bytes_per_ms.low, sync.wire_bytes_per_ms.high) == (125 * seen[0], 125 * seen[1])


def begun_at(t_s, rows):
    return [replace(one, t_s=t_s + one.t_s - rows[0].t_s) for one in rows]


@pytest.mark.parametrize(
    ("gap_s", "between_s", "seen"), [(0.09, 0.09, (8, 8)), (0.11, 0.09, (4, 16)), (0.09, 0.11, (4, 16))]
)
def test_at_slower_sampling_or_after_a_late_answer_it_is_one_of_any_of_both_passes(gap_s, between_s, seen):
    slower = [replace(one, t_s=gap_s * row) for row, one in enumerate(BEFORE)]
    after = begun_at(slower[-1].t_s + between_s, AFTER)
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


def test_the_bandwidths_near_a_sync_are_those_before_it_showed_too():
    """On a busy host another was in force a window before, and a sync is seen 150 ms before it has its number."""
    early = [sample(0.2 + 0.01 * row, 1, 11 + 43, 9, 16.0) for row in range(5)]
    sync = around([*with_mbps(BEFORE, {9: 6.0}), *early], AFTER)
    assert (sync.wire_bytes_per_ms.low, sync.wire_bytes_per_ms.high) == (750, 2000)
    assert pages(sync.at_sync_bytes) == (54, 54)


def at_four_seconds(*seen):
    """The syncs between passes of two samples four seconds apart, which end with nothing unsent."""
    rows = [
        [sample(t_s, number, left, sent), sample(t_s + 4, number, left - 900, sent + 900)]
        for number, (t_s, left, sent) in enumerate(seen, 1)
    ]
    return syncs([Pass.of(Samples.of(each)) for each in rows], Limits(((-math.inf, 0),)))


def test_when_a_sync_was_shows_by_what_was_sent_until_the_first_sample_after_it():
    first, second = at_four_seconds((0, 4000, 0), (10, 4500, 4500), (30, 4900, 9600))
    assert (first.likely_bytes, second.likely_bytes) == (5000 * PAGE, 5500 * PAGE)
    assert (first.begun_s, first.at_s) == (0, pytest.approx(10.05 - 500 * PAGE / 1e6))
    assert (second.begun_s, second.at_s) == (first.at_s, pytest.approx(30.05 - 600 * PAGE / 1e6))
    assert second.length_ms == pytest.approx(20_000 - 100 * PAGE / 1e3)


@pytest.mark.parametrize(("sent", "at_s"), [(9000, 4), (4000, 10)])
def test_it_was_between_the_samples_beside_it(sent, at_s):
    (sync,) = at_four_seconds((0, 4000, 0), (10, 4500, sent))
    assert sync.at_s == at_s


@pytest.mark.parametrize(("gap_s", "at_s"), [(0.3, 1.3), (0.31, 1.31 + 0.05 - 50 * PAGE / 1e6)])
def test_where_samples_are_dense_it_was_at_the_one_after_it(gap_s, at_s):
    rows = [sample(0, 1, 500, 0), sample(1, 1, 256, 244)], [sample(1 + gap_s, 2, 450, 550)]
    (sync,) = syncs([Pass.of(Samples.of(each)) for each in rows], Limits(((-math.inf, 0),)))
    assert sync.likely_bytes == 500 * PAGE and sync.at_s == pytest.approx(at_s)


@pytest.mark.parametrize(
    ("number", "sent_bytes", "mbps", "begun_s"),
    [
        (1, None, 8.0, 1.5),
        (1, 400_000, 8.0, 1.1),
        (1, 700_000, 8.0, 1.0),
        (1, 400_000, 0.0, 1.5),
        (2, 400_000, 8.0, 1.5),
    ],
)
def test_when_the_first_pass_began_shows_by_all_that_was_sent_within_one_sample(number, sent_bytes, mbps, begun_s):
    rows = [sample(1.5 + 0.5 * row, number, 100 - row, row) for row in range(3)]
    rows[0] = replace(rows[0], ram=replace(rows[0].ram, transferred_bytes=sent_bytes, mbps=mbps))
    after = [sample(4, number + 1, 100, 100)]
    (sync,) = syncs([Pass.of(Samples.of(each)) for each in (rows, after)], Limits(()))
    assert sync.begun_s == pytest.approx(begun_s)


def test_where_samples_are_dense_it_began_with_the_first_of_them():
    rows = [sample(1.5 + 0.3 * row, 1, 100 - row, row) for row in range(3)]
    rows[0] = replace(rows[0], ram=replace(rows[0].ram, transferred_bytes=400_000))
    (sync,) = syncs([Pass.of(Samples.of(each)) for each in (rows, [sample(4, 2, 100, 100)])], Limits(()))
    assert sync.begun_s == 1.5


@pytest.mark.parametrize(("open_mbps", "low", "high"), [(0, 100, 100), (10, 90, 110), (60, 50, 160)])
def test_the_bandwidth_at_a_sync_is_as_open_as_that_of_the_samples(open_mbps, low, high):
    """No more than half of it is open to below."""
    trace = read(str(recording("ppc64-tcg-qemu-7.2")))
    samples = trace.samples.with_bandwidth(np.full(len(trace.samples), 100.0), np.full(len(trace.samples), open_mbps))
    *_, sync = Evidence.of(replace(trace, samples=samples)).syncs
    assert (sync.wire_bytes_per_ms.low, sync.wire_bytes_per_ms.high) == (pytest.approx(125 * low), 125 * high)
