# SPDX-License-Identifier: GPL-2.0-or-later
"""What was left at a sync, by what QEMU 11.1 says that it found pending: on hugepages, where nothing else tells.

Of a window's 1000 pages 300 are left in the pass before, and the sync finds 5000 more.
"""

from dataclasses import replace

import pytest

from avocado_migdowntime.oracle.passes import EDGE_SAMPLES, Pass
from avocado_migdowntime.oracle.unsent import unsent_bytes
from avocado_migdowntime.trace.samples import Samples

from ..support.samples import PAGE, sample

LEFT, FOUND, SENT = 300, 5000, 2000
HUGE = 2 << 20
MBPS = 1000 * PAGE / 100 / 125


def before(*early, looked=1300, rests=True):
    """A rest until the sync at 0, and what is seen of that before it has its number: (ms, pages sent, pending)."""
    rest = [
        sample(-0.001 * ms, 1, LEFT + (0 if rests else ms), SENT - (0 if rests else ms), MBPS, pending=looked)
        for ms in (90, 60, 30, 5, 1)
    ]
    return [*rest, *(since(1, *one) for one in early)]


def since(number, t_ms, sent, pending):
    return sample(t_ms / 1000, number, LEFT + FOUND - sent, SENT + sent, MBPS, latency_ms=0.5, pending=pending)


def unsent(first, *seen, host_page=HUGE):
    second = [since(2, *one) for one in seen]
    found = unsent_bytes(*(Pass.of(Samples.of(rows)) for rows in (first, second)), host_page)
    return found.low / PAGE, found.high / PAGE


@pytest.mark.parametrize(
    ("seen", "most"),
    [
        # Nothing was left: what was dirtied is all that the sync found.
        ([(1, 400, 5000), (2, 500, 5000)], 0),
        # A device has 20 pages more, or 20 were left.
        ([(1, 400, 5020), (2, 500, 5020)], 20),
        ([(1, 400, 5400), (2, 500, 5400)], 300),
        # QEMU does not say.
        ([(1, 400, None), (2, 500, None)], 300),
        # Until more is sent the figure may be that of before the sync; so much was sent that some went out after it.
        ([(1, 200, 5000), (2, 200, 5000)], 300),
        ([(1, 200, 100), (2, 201, 5150)], 150),
        ([(1, 301, 5000), (2, 301, 5000)], 0),
        # The figure of a later look is below what was left after the sync.
        ([(1, 400, 4800), (2, 500, 4800)], 300),
        # A window later it may be one of a later look: 59 ms after the question at -1 ms.
        ([(58.4, 400, 5000), (70, 500, 5000)], 0),
        ([(58.6, 400, 5000), (70, 500, 5000)], 300),
    ],
)
def test_no_more_was_left_than_was_pending_at_the_sync_less_what_was_dirtied(seen, most):
    low = max(0, LEFT - seen[0][1])
    assert unsent(before(), *seen) == (low, most)


def test_without_a_rest_before_it_nobody_knows_how_far_the_next_look_was():
    assert unsent(before(rests=False), (1, 400, 5000), (2, 500, 5000)) == (0, LEFT + 1)


@pytest.mark.parametrize(("pending", "most"), [(0, 0), (120, 120), (400, 300)])
def test_before_a_sync_has_its_number_what_is_pending_is_what_was_left(pending, most):
    assert unsent(before((0, 350, pending)), (2, 500, None)) == (0, most)


def test_what_is_seen_of_a_sync_before_it_has_its_number_is_seen_after_it():
    """Nothing had been sent when it came, and 400 pages until it had its number."""
    assert unsent(before(), (2, 400, None)) == (0, 300)
    assert unsent(before((0, 0, None), (1, 350, None)), (2, 400, None)) == (300, 300)


@pytest.mark.parametrize("count", [1, EDGE_SAMPLES + 3])
def test_however_long_it_takes_the_pass_before_ends_with_its_own(count):
    early = [(0.4 * row, 0, None) for row in range(count)]
    one = Pass.of(Samples.of(before(*early)))
    assert (one.whole_count, one.last_row, one.end_bytes / PAGE) == (5, 4, SENT + LEFT)
    assert unsent(before(*early), (8, 400, None)) == (300, 300)


def test_only_a_rise_of_more_than_a_page_is_a_sync():
    rows = before()
    torn = replace(rows[2], ram=replace(rows[2].ram, remaining_bytes=rows[2].ram.remaining_bytes - PAGE))
    assert Pass.of(Samples.of([*rows[:2], torn, *rows[3:]])).whole_count == 5
    torn = replace(rows[2], ram=replace(rows[2].ram, remaining_bytes=rows[2].ram.remaining_bytes - PAGE - 1))
    assert Pass.of(Samples.of([*rows[:2], torn, *rows[3:]])).whole_count == 3
