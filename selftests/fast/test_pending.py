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
        # The figure of a later look is below what was left after the sync, or what was dirtied before it.
        ([(1, 400, 4800), (2, 500, 4800)], 300),
        ([(1, 400, 4900), (2, 500, 4900)], 300),
        ([(1, 400, 4998), (2, 500, 4998)], 300),
        ([(1, 400, 4999), (2, 500, 4999)], 0),
        # Just what was left may have gone out before the sync.
        ([(1, 300, 5000), (70, 400, 5000)], 300),
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


@pytest.mark.parametrize(("ms", "most"), [(48.4, 0), (48.6, 250)])
def test_the_next_look_is_a_window_after_the_end_of_the_rest(ms, most):
    """The rest was seen until -11 ms, and 50 pages were sent since."""
    rest = [sample(-0.001 * ms, 1, LEFT, SENT, MBPS, pending=1300) for ms in (90, 60, 30, 11)]
    sending = sample(-0.001, 1, LEFT - 50, SENT + 50, MBPS, pending=1300)
    assert unsent([*rest, sending], (ms, 400, 5000), (ms + 1, 500, 5000)) == (0, most)


@pytest.mark.parametrize(("pending", "most"), [(0, 0), (120, 120), (400, 300)])
def test_before_a_sync_has_its_number_what_is_pending_is_what_was_left(pending, most):
    assert unsent(before((0, 350, pending)), (2, 500, None)) == (0, most)


def test_what_is_seen_of_a_sync_before_it_has_its_number_is_seen_after_it():
    """Nothing had been sent when it came, and 400 pages until it had its number."""
    assert unsent(before(), (2, 400, None)) == (0, 300)
    assert unsent(before((0, 0, None), (1, 350, None)), (2, 400, None)) == (300, 300)


@pytest.mark.parametrize(("count", "apart_ms"), [(1, 1), (EDGE_SAMPLES + 3, 0.4), (3, 22), (3, 45)])
def test_however_long_it_takes_the_pass_before_ends_with_its_own(count, apart_ms):
    """On a busy host a sync had its number 150 ms late; what takes longer than the pass is taken for that."""
    early = [(apart_ms * row, 0, None) for row in range(count)]
    one = Pass.of(Samples.of(before(*early)))
    if apart_ms * (count - 1) > 89:
        assert one.whole_count == len(one.samples)
        return
    assert (one.whole_count, one.last_row, one.end_bytes / PAGE) == (5, 4, SENT + LEFT)
    assert unsent(before(*early), (apart_ms * count + 1, 400, None)) == (300, 300)


def test_a_pass_that_shows_what_its_own_sync_found_late_is_whole():
    """Up to 10.0 a sync has its number before it is done."""
    rows = before()
    late = replace(rows[0], ram=replace(rows[0].ram, remaining_bytes=PAGE))
    assert Pass.of(Samples.of([late, *rows[1:]])).whole_count == 5


def test_only_a_rise_of_more_than_a_page_is_a_sync():
    rows = before()
    for pages, whole in ((1, 5), (2, 4), (-2, 5)):
        last = replace(rows[-1], ram=replace(rows[-1].ram, remaining_bytes=rows[-1].ram.remaining_bytes + pages * PAGE))
        assert Pass.of(Samples.of([*rows[:-1], last])).whole_count == whole
