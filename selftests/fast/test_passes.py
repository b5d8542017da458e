# SPDX-License-Identifier: GPL-2.0-or-later
"""Passes as they are put together of samples: the figures of each, one by one."""

from dataclasses import replace

import numpy as np
import pytest

from avocado_migdowntime.oracle.passes import Pass, _rise_bytes, medians, passes, that_found_something
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.trace.samples import Samples

from ..support.samples import PAGE, sample


def conserved(*pages):
    """A pass whose samples have so many pages left and sent together."""
    return Pass.of(Samples.of(sample(0.02 * row, remaining=count) for row, count in enumerate(pages)))


@pytest.mark.parametrize(
    ("pages", "spread"),
    [
        ((100, 700), 0.0),
        ((100, 100, 100), 0.0),
        ((102, 104, 100), 2.0),
        ((100, 140, 120, 110), 17.5),  # From 107.5 to 125
        ((100, 190, 103, 102, 101), 2.0),
        ((100, 140, 128, 118, 110, 104), 20.0),  # From 105.5 to 125.5
        (tuple(range(100, 107)), 3.0),
    ],
)
def test_the_spread_is_that_of_the_middle_half_of_three_samples_or_more(pages, spread):
    assert conserved(*pages).spread_bytes == spread * PAGE


def test_what_its_end_found_is_no_spread():
    assert conserved(100, 100, 100, 101, 100, 100, 100, 900, 900, 900).spread_bytes == 0


@pytest.mark.parametrize(
    ("ending", "spread"),
    [
        ((104, 104), 0),  # No more than the counters may be apart
        ((104, 105), 0),
        ((105, 105), 6),
        ((108, 116, 125), 126),
        ((125,), 0),  # The counters around the sync, one before the other
        ((125, 100), 0),
        ((80, 75), 0),
    ],
)
def test_one_that_rises_as_it_ends_may_go_on_so_until_the_sync(ending, spread):
    """By six times as much as is seen: half of that blurs what the sync found."""
    rows = [
        sample(0.02 * row, remaining=500 - 10 * row, sent=count - 500 + 10 * row)
        for row, count in enumerate([600] * 20 + [500 + count for count in ending])
    ]
    assert Pass.of(Samples.of(rows)).spread_bytes == spread * PAGE


def test_two_samples_do_not_rise_from_a_third():
    assert conserved(100).spread_bytes == conserved(105).spread_bytes == conserved(100, 105).spread_bytes == 0


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


def test_it_is_so_of_a_pass_of_a_few_samples_too():
    rows = [sample(0.1 * row, sent=row, remaining=100 - row) for row in range(5)]
    rows.append(sample(0.5, sent=5, remaining=150))
    assert Pass.of(Samples.of(rows)).last.sent_pages == 4


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
    ("figures", "of_second"),
    [
        ([(60, 140), (50, 150), (40, 160), (42, 163), (30, 175)], [3, 4]),
        ([(60, 140), (50, 150), (40, 161), (30, 173), (20, 183)], [3, 4]),  # What is left falls.
        ([(60, 140), (50, 150), (40, 160), (30, 170), (42, 163)], [4]),
        ([(60, 140), (50, 150), (40, 162), (42, 163), (30, 175)], [2, 3, 4]),  # Its K is that of no pass.
        ([(60, 140), (50, 152), (40, 162), (42, 163), (30, 175)], [2, 3, 4]),  # That sync may have been counted late.
        ([(60, 140), (50, 150), (40, 160), (30, 171), (20, 181)], [2, 3, 4]),  # K is the same but for a page,
        ([(60, 140), (50, 150), (40, 160), (30, 170), (20, 180)], [2, 3, 4]),  # or the sync found nothing.
    ],
)
def test_a_sample_with_the_count_of_a_sync_that_has_found_nothing_yet_is_of_no_pass(figures, of_second):
    rows = [sample(t, min(2, max(1, t)), remaining=left, sent=sent) for t, (left, sent) in enumerate(figures)]
    rows = [replace(row, t_s=0.1 * row.t_s) for row in rows]
    assert counts(*rows) == [(1, [0.0, 0.1]), (2, pytest.approx([0.1 * row for row in of_second]))]
    before = passes(Samples.of(rows[:2]))[0]
    assert [one[1] for one in counts(*rows[2:], before=before)] == [pytest.approx([0.1 * row for row in of_second])]


@pytest.mark.parametrize(("until_s", "count"), [(0.7, 1), (0.71, 5)])
def test_a_count_that_is_raised_long_before_is_not_of_that_sync(until_s, count):
    times_s = [0.0, 0.1, 0.2, 0.3, 0.4, until_s, 0.9]
    rows = [sample(t, 1 + (t >= 0.2), remaining=50 + 90 * (t > 0.8), latency_ms=0) for t in times_s]
    assert len(counts(*rows)[1][1]) == count


@pytest.mark.parametrize(
    ("later", "is_early"),
    [
        ([(1.5, 90, 5)], True),
        ([(1.51, 90, 5)], False),  # A sync does not last so long.
        ([(0.9, 90, 5)], False),  # It was asked before.
        ([(1.1, 91, 5)], True),
        ([(1.1, 92, 5)], False),  # It has found something.
        ([(1.1, 89, 5)], True),
        ([(1.1, 88, 5)], False),
        ([(1.1, 80, 15)], False),  # Its pass has begun.
        ([(1.1, 90, 5), (1.5, 90, 5)], True),
        ([(1.1, 90, 5), (1.6, 90, 5)], False),
        ([(1.1, 90, 5), (1.2, 92, 5)], False),
    ],
)
def test_at_the_end_a_count_with_the_same_figures_is_of_a_sync_that_may_not_have_found_anything_yet(later, is_early):
    def found(pending=None, rounded_number=None):
        figures = [(0.5, 1, 95, 0), (1.0, 1, 90, 5), *((t_s, 2, left, sent) for t_s, left, sent in later)]
        rows = [sample(t, number, left, sent, pending=pending) for t, number, left, sent in figures]
        opened = (replace(row, open_bytes=PAGE * (row.ram.dirty_sync_count == rounded_number)) for row in rows)
        return [one.number for one in that_found_something(passes(Samples.of(opened)))]

    assert found() == ([1] if is_early else [1, 2])
    assert found(pending=95) == [1, 2]  # QEMU 11.1 counts a sync later.
    is_near = abs(later[-1][1] - 90) == 2
    assert found(rounded_number=1) == found(rounded_number=2) == ([1] if is_early or is_near else [1, 2])


def test_a_single_pass_may_have_found_something():
    for rows in ([], [sample(1.0)]):
        assert len(that_found_something(passes(Samples.of(rows)))) == len(rows)


@pytest.mark.parametrize(
    ("figures", "queued", "of_second"),
    [
        ([(91, 110)], 0, [1]),
        ([(92, 110)], 0, []),
        ([(92, 0)], 0, [1]),  # QEMU has not looked yet.
        ([(80, 120), (92, 120)], 0, [1]),
        ([(92, 120), (92, 120)], 0, []),
        ([(80, 120), (70, 130), (92, 130)], 0, [1, 2, 3]),
        ([(80, 110), (92, 115)], 0, [1]),
        # K is the same while something is sent: what is pending is wrong.
        ([(100, 110), (95, 115)], 0, [1, 2]),
        ([(100, 110), (96, 115)], 0, [1, 2]),
        ([(100, 110), (97, 115)], 0, [1]),
        ([(100, 110), (94, 115)], 0, [1, 2]),
        ([(100, 110), (93, 115)], 0, [1]),
        # Ten pages may be on their way.
        ([(100, 110), (92, 120)], 10, []),
        ([(100, 110), (92, 121)], 10, [1, 2]),
        ([(100, 110), (100, 121)], 10, [1, 2]),
        ([(100, 110), (101, 121)], 10, [1]),
    ],
)
def test_in_a_short_pass_what_is_above_what_was_pending_was_found_by_a_sync_that_is_not_counted_yet(
    figures, queued, of_second
):
    rows = [sample(0, 1, remaining=200, pending=None)]
    rows += [sample(t, 2, left, sent, pending=90) for t, (left, sent) in enumerate(figures, 1)]
    assert counts(*rows, queued_bytes=queued * PAGE) == [(1, [0]), *([(2, of_second)] if of_second else [])]


def test_in_the_first_pass_too():
    assert counts(sample(0, 1, remaining=92, sent=110, pending=90)) == []


def test_the_last_samples_of_the_pass_before_are_not_looked_at_again():
    rows = [sample(t, 2, remaining=100 - t, sent=110 + t, pending=100) for t in range(5)]
    rows += [sample(t, 2, remaining=150, sent=114, pending=96) for t in (4.1, 4.2)]
    before = passes(Samples.of(rows))[-1]
    assert len(before.samples) == 7
    begun, early = sample(4.3, 3, 150, 114, pending=150), sample(4.3, 3, 180, 114, pending=150)
    assert counts(begun, before=before) == [(3, [4.3])] and counts(early, before=before) == []


def test_with_what_is_pending_none_is_early():
    rows = [sample(0.1 * t, 1 + (t > 1), remaining=50 + 90 * (t > 2), pending=7) for t in range(5)]
    assert [len(times_s) for _, times_s in counts(*rows)] == [2, 3]


def test_the_sample_before_counts_whenever_it_was_answered():
    first, second = sample(1.0, 1, latency_ms=500), sample(1.2, 2, latency_ms=0)
    before = passes(Samples.of([first]))[0]
    assert counts(second, stopped_s=1.3, before=before) == [(2, [1.2])]


def test_of_the_first_pass_and_of_a_single_sample_none_is_known_to_be_early():
    rows = [sample(0, 1, remaining=50), sample(1, 1, remaining=90), sample(2, 2, remaining=30), sample(3, 3)]
    assert counts(*rows) == [(1, [0, 1]), (2, [2]), (3, [3])]


@pytest.mark.parametrize(
    ("figures", "median"), [([5], 5), ([5, 1], 3), ([9, 1, 2], 2), ([4, 1, 9, 2], 3), ([[1, 5], [7, 7]], [3, 7])]
)
def test_medians_are_of_the_last_axis(figures, median):
    assert medians(np.array(figures, dtype=float)).tolist() == median


def test_k_has_risen_if_it_did_in_two_samples():
    assert _rise_bytes(np.array([[9.0, 9.0], [1.0, 9.0]]), np.array([5.0, 5.0])).tolist() == [4.0, 0.0]
    assert _rise_bytes(np.array([[9.0]]), np.array([5.0])).tolist() == [0.0]


def test_what_its_end_found_is_seen_in_a_pass_of_three_samples_or_more():
    assert [conserved(*pages).whole_count for pages in ((100, 300), (100, 100, 300), (100, 100, 100, 300))] == [2, 2, 3]
