# SPDX-License-Identifier: GPL-2.0-or-later
"""A pass on hugepages ends with nothing left, unless it may have been one of the other ends of a round.

Hugepages of 8 pages; a window sends 100 pages, and 30 are left in the last but one.
"""

from math import inf

import pytest

from avocado_migdowntime.oracle.limits import Limits
from avocado_migdowntime.oracle.passes import Pass
from avocado_migdowntime.oracle.syncs import syncs
from avocado_migdowntime.oracle.unsent import unsent_bytes
from avocado_migdowntime.trace.samples import Samples
from selftests.support.traces import Pass as MadePass
from selftests.support.traces import made, precopy

from ..support.samples import PAGE, sample

BURST, LEFT, FOUND, HUGE = 100, 30, 500, 8 * PAGE
NOTHING, OPEN = (0, 0), (0, LEFT)


def mbps(beyond=0, pages=BURST, ms=100):
    """As QEMU computes it, of a window that carried so many pages with their headers, and some bytes."""
    return (pages * (PAGE + 8) + beyond) * 8.0 / (ms / 1000.0) / 1000.0 / 1000.0


def before(*later, number=3, in_round=9, zero_s=0.0):
    """A burst and its rest until -1 ms, in the midst of a round; and what was sent in the next: (ms, pages)."""
    sent = 2000
    moments = [(-99, -in_round), (-90, 0), (-50, 0), (-1, 0), *later]
    return [
        sample(zero_s + ms / 1000, number, LEFT - pages, sent + pages, mbps(), latency_ms=0.5, rounds=7)
        for ms, pages in moments
    ]


def after(ms=1, pages=LEFT + 5, of_window=None, number=4, zero_s=0.0):
    of_window = mbps() if of_window is None else of_window
    return [
        sample(zero_s + (ms + 5 * row) / 1000, number, LEFT + FOUND - pages - row, 2000 + pages + row, of_window,
               latency_ms=0.5, rounds=8)
        for row in range(4)
    ]  # fmt: skip


def unsent(first, second, most=64.0):
    found = unsent_bytes(*(Pass.of(Samples.of(rows)) for rows in (first, second)), HUGE, most)
    return found.low / PAGE, found.high / PAGE


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


@pytest.mark.parametrize(("ms", "found"), [(58.4, NOTHING), (58.6, OPEN)])
def test_nor_was_there_another_rest_since(ms, found):
    assert unsent(before(), after(ms)) == found
    # Seen amidst the next burst, 20 pages of which are sent.
    second = after(ms, of_window=mbps(13))
    assert unsent(before((0, 20)), second) == (0, 0 if found == NOTHING else LEFT - 20)


@pytest.mark.parametrize(("in_round", "found"), [(9, NOTHING), (8, OPEN)])
def test_more_than_one_hugepage_was_sent_in_the_round(in_round, found):
    """One that took 50 ms ends its round, as the first in it."""
    assert unsent(before(in_round=in_round), after()) == found


@pytest.mark.parametrize(("most", "found"), [(64, NOTHING), (64.5, OPEN), (inf, OPEN)])
def test_nor_are_there_as_many_as_end_a_round(most, found):
    assert unsent(before(), after(), most) == found


def test_of_a_pass_that_went_out_in_part_something_was_left():
    assert unsent(before(), after(pages=LEFT - 1)) == (1, LEFT)


@pytest.mark.parametrize(
    ("number", "of_first", "found"),
    [(3, None, NOTHING), (2, None, OPEN), (2, 4, NOTHING), (2, 5, OPEN), (1, None, OPEN)],
)
def test_the_first_pass_is_of_all_ram_and_what_it_leaves_goes_out_in_the_second(number, of_first, found):
    rows = [before(number=number), after(number=number + 1)]
    if of_first is not None:
        last = [sample(-1 + 0.001 * row, 1, of_first, 1900, mbps()) for row in range(3)]
        seen = [sample(-0.9 + 0.001 * row, 2, 2030 - 1950, 1950, mbps()) for row in range(3)]
        rows = [last, [*seen, *rows[0]], rows[1]]
    passes = [Pass.of(Samples.of(one)) for one in rows]
    sync = syncs(passes, Limits(), host_page_bytes=HUGE, most_host_pages=60)[-1]
    assert (sync.unsent_bytes.low / PAGE, sync.unsent_bytes.high / PAGE) == found


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
