# SPDX-License-Identifier: GPL-2.0-or-later
"""A pass on hugepages ends with nothing left, unless it may have been one of the other ends of a round.

Hugepages of 8 pages; a window sends 100 pages, and 30 are left in the last but one.
"""

from dataclasses import replace
from math import inf

import pytest

from avocado_migdowntime.oracle.limits import Limits
from avocado_migdowntime.oracle.other_pages import Others
from avocado_migdowntime.oracle.passes import Pass
from avocado_migdowntime.oracle.syncs import syncs
from avocado_migdowntime.trace.samples import Samples
from selftests.support.traces import Pass as MadePass
from selftests.support.traces import made, precopy

from ..support.around_a_sync import HUGE, LEFT, NOTHING, OPEN, after, before, mbps, unsent
from ..support.samples import PAGE, sample


def unsent_of(rows, of_first, limits, most):
    """What was left at the second of two syncs; the first pass left `of_first` pages, if that is known."""
    if of_first is not None:
        last = [sample(-1 + 0.001 * row, 1, of_first, 1700, mbps()) for row in range(3)]
        seen = [sample(-0.9 + 0.001 * row, 2, LEFT + 200, 1800, mbps(), rounds=6) for row in range(3)]
        rows = [last, [*seen, *rows[0]], rows[1]]
    passes = [Pass.of(Samples.of(one)) for one in rows]
    others = Others(HUGE, (1700 + (of_first or 0) - 3) * PAGE)
    sync = syncs(passes, limits, None, others, most)[-1]
    return sync.unsent_bytes.low / PAGE, sync.unsent_bytes.high / PAGE


@pytest.mark.parametrize(
    ("of_window", "found"),
    [
        (mbps(), NOTHING),
        (mbps(ms=101), NOTHING),
        (mbps(ms=399), NOTHING),
        (mbps(ms=401), OPEN),
        (mbps(pages=293, ms=104), NOTHING),
        (mbps(8), OPEN),
        (mbps(13), OPEN),
        (mbps(18, ms=101), OPEN),
        (mbps(9 * 7), OPEN),
        (mbps() * (1 + 1e-9), OPEN),
        (mbps(-1), OPEN),
        # Of 342 ms it is 149 whole pages, of 101 ms 44 of them and 12 bytes.
        (mbps(pages=149, ms=342), OPEN),
    ],
)
def test_after_a_rest_the_bandwidth_tells_whether_it_was_in_the_midst_of_a_hugepage(of_window, found):
    assert unsent(before(), after(of_window=of_window)) == found


def test_the_bandwidth_is_that_of_the_first_sample_after_the_rest():
    other = after(of_window=mbps(8))
    assert unsent(before(), [*after()[:1], *other[1:]]) == NOTHING
    assert unsent(before(), [*other[:1], *after()[1:]]) == OPEN


def test_what_the_round_sent_is_counted_from_its_begin_to_the_end_of_the_rest():
    """Two samples of the rest, and two before it; a round later QEMU sends again."""
    rows = before((0, 20))
    early = sample(-0.095, 3, LEFT + 1, 1999, mbps(), latency_ms=0.5, rounds=7)
    again = sample(0, 3, LEFT - 20, 2020, mbps(), latency_ms=0.5, rounds=8)
    assert unsent([rows[0], early, rows[1], rows[3], again], after(of_window=mbps(13))) == NOTHING


@pytest.mark.parametrize(
    ("ms", "pages", "found"),
    [(58.4, 96, NOTHING), (58.6, 95, NOTHING), (58.6, 96, OPEN), (150, 95, NOTHING), (150, 96, OPEN)],
)
def test_nor_was_there_another_rest_since(ms, pages, found):
    """It would have ended another window, which carried no more than was sent since."""
    assert unsent(before(), after(ms, pages)) == found


@pytest.mark.parametrize(("ms", "found"), [(58.4, NOTHING), (58.6, (0, LEFT - 20))])
def test_after_it_was_seen_sending_time_alone_tells_that(ms, found):
    second = after(ms, of_window=mbps(13))
    assert unsent(before((0, 20)), second) == found


@pytest.mark.parametrize(("in_round", "found"), [(9, NOTHING), (8, OPEN)])
def test_more_than_one_hugepage_was_sent_in_the_round(in_round, found):
    """One that took 50 ms ends its round, as the first in it."""
    assert unsent(before(in_round=in_round), after()) == found


def test_the_header_of_a_page_on_its_way_is_no_end_of_a_round():
    """A round ended just before the last burst; so it looks as if it had before the burst before that."""
    rows = before()
    first = sample(-0.2, 3, LEFT + 49, 2000 - 50, mbps(), latency_ms=0.5, rounds=7)
    earlier = replace(rows[0], ram=replace(rows[0].ram, remaining_bytes=LEFT * PAGE, sent_pages=2000))
    counted = earlier.ram.counted_bytes + 9 * (PAGE + 8)
    rows[0] = replace(earlier, ram=replace(earlier.ram, counted_bytes=counted))
    assert unsent([first, *rows], after()) == OPEN
    assert unsent([first, *before()], after()) == NOTHING


@pytest.mark.parametrize(("most", "found"), [(65.9, NOTHING), (66, OPEN), (inf, OPEN)])
def test_nor_are_there_as_many_as_end_a_round(most, found):
    """It ends after the 65th, with none left if there are no more."""
    assert unsent(before(), after(), most) == found


def test_of_a_pass_that_went_out_in_part_something_was_left():
    assert unsent(before(), after(pages=LEFT - 1)) == (1, LEFT)


EITHER = mbps(pages=179, ms=324)
"""Of a window of so many pages in 324 ms, or of 58 pages and 38 bytes in 105."""


@pytest.mark.parametrize(
    ("ms", "pages", "found"), [(-102.4, 62, OPEN), (-102.4, 63, NOTHING), (-102.6, 63, OPEN), (-102.4, 184, OPEN)]
)
def test_a_window_carried_no_fewer_pages_than_were_seen_to_be_sent_in_it(ms, pages, found):
    """One of 105 ms began between -107 and -102.5 ms. Four pages may belong to the windows beside it."""
    seen = sample(ms / 1000, 3, LEFT + pages, 2000 - pages, mbps(), rounds=7)
    assert unsent([seen, *before()], after(of_window=EITHER)) == found


@pytest.mark.parametrize(("ms", "pages", "found"), [(-107.6, 55, OPEN), (-107.6, 54, NOTHING), (-107.4, 54, OPEN)])
def test_nor_did_it_carry_more(ms, pages, found):
    """Of 324 ms nothing is seen."""
    seen = sample(ms / 1000, 3, LEFT + pages, 2000 - pages, mbps(), latency_ms=0.5, rounds=7)
    assert unsent([seen, *before()], after(of_window=EITHER)) == found


def longer(early=7, late=7, more=0):
    """Two samples before that, after so many rounds, in one of which `more` pages are on their way."""
    seen = [(-450, 1500, early), (-150, 1900, late)]
    rows = [sample(ms / 1000, 3, LEFT + 2000 - sent - more, sent, mbps(), rounds=rounds) for ms, sent, rounds in seen]
    return [*rows, *before()]


@pytest.mark.parametrize(
    ("rows", "of_window", "rounds", "found"),
    [
        (longer(), mbps(8), 8, (LEFT, LEFT)),
        (longer(), mbps(18), 8, (LEFT, LEFT)),
        (longer(), mbps(), 8, NOTHING),
        # A round ended before, perhaps in that window, or may have: a header looks like one.
        (longer(early=6), mbps(8), 8, OPEN),
        (longer(late=6), mbps(8), 8, (LEFT, LEFT)),
        (longer(more=1), mbps(8), 8, OPEN),
        (before(), mbps(8), 8, OPEN),
        # None ended since, or two, of which the last may have been the end of the pass.
        (longer(), mbps(8), 7, OPEN),
        (longer(), mbps(8), 9, OPEN),
    ],
)
def test_a_rest_at_the_end_of_a_hugepage_ends_a_round_and_then_qemu_looks_before_it_sends(
    rows, of_window, rounds, found
):
    seen = [
        replace(row, ram=replace(row.ram, counted_bytes=row.ram.counted_bytes + 8 * (rounds - 8))) for row in after()
    ]
    seen = [replace(row, ram=replace(row.ram, mbps=of_window)) for row in seen]
    assert unsent(rows, seen) == found


@pytest.mark.parametrize(
    ("zeros", "of_window", "found"),
    [
        # All of them before; the last was perhaps in that window, in it, or just after it.
        ([5] * 7, mbps(), NOTHING),
        ([5] * 7, mbps(8), (LEFT, LEFT)),
        ([0] + [5] * 6, mbps(8), OPEN),
        ([5, 5] + [6] * 5, mbps(), OPEN),
        ([5, 5] + [6] * 5, mbps(9), OPEN),
        ([5] * 6 + [6], mbps(), NOTHING),
        ([5] * 6 + [6], mbps(9), OPEN),
    ],
)
def test_a_zero_page_may_look_like_the_end_of_a_round(zeros, of_window, found):
    """It costs 9 bytes."""
    seen = list(map(with_zeros, [*longer(), *after(of_window=of_window)], [*zeros, *zeros[-1:] * 3]))
    assert unsent(seen[:6], seen[6:]) == found


def with_zeros(row, zeros):
    ram = row.ram
    counted = ram.counted_bytes - (PAGE - 1) * zeros
    return replace(row, ram=replace(ram, zero_pages=zeros, counted_bytes=counted))


@pytest.mark.parametrize(("ms", "found"), [(58.4, (LEFT, LEFT)), (58.6, OPEN)])
def test_which_is_told_where_there_was_no_other_rest_since(ms, found):
    assert unsent(longer(), after(ms, of_window=mbps(8))) == found
    assert unsent([*longer(), *before((0, 20))[-1:]], after(of_window=mbps(8))) != (LEFT, LEFT)


@pytest.mark.parametrize(
    ("number", "of_first", "most", "found"),
    [
        (3, None, 0, OPEN),
        (2, None, 0, OPEN),
        (1, None, 0, OPEN),
        (2, 0, 62.9, NOTHING),
        (2, 0, 63, OPEN),
        # No more than there are beside RAM: none of it is RAM.
        (2, 3, 62.9, NOTHING),
        (2, 3, 63, OPEN),
        (2, 4, 60.4, NOTHING),
        (2, 4, 60.5, OPEN),
    ],
)
def test_a_pass_also_sends_what_firmware_wrote_and_what_the_pass_before_left(number, of_first, most, found):
    """Three pages are beside RAM; half a hugepage may lie in as many."""
    rows = [before(number=number), after(number=number + 1)]
    assert found == unsent_of(rows, of_first, Limits(), most)


@pytest.mark.parametrize(("limit_pages", "found"), [(3.9, NOTHING), (4, OPEN)])
def test_it_left_no_more_than_the_limit_allowed(limit_pages, found):
    limit_ms = limit_pages * PAGE / (mbps() * 125)
    rows = [before(number=2), after(number=3)]
    assert unsent_of(rows, 4, Limits(((-inf, limit_ms), (-0.5, 1000))), 62.5) == found


@pytest.mark.parametrize(
    ("header", "most"),
    [
        ({"guest": "dirtier", "dirtied_mib": 20.0, "backing_page_size": 2 << 20}, 18),
        ({"guest": "dirtier", "dirtied_mib": 20.0}, inf),
        ({"guest": "dirtier", "backing_page_size": 2 << 20}, inf),
        ({"guest": "Linux 6.1", "dirtied_mib": 20.0, "backing_page_size": 2 << 20}, inf),
        ({}, inf),
    ],
)
def test_of_the_own_guest_it_is_known_how_many_are_dirtied(header, most):
    assert made(precopy(MadePass(100)), header=header).most_host_pages == most
