# SPDX-License-Identifier: GPL-2.0-or-later
"""What was left at a sync, by the rounds of QEMU's that the bytes it counted show.

A window sends 1000 pages and rests; a pass of 2300 pages and two whole bursts ends with 300 left.
"""

from dataclasses import replace

import numpy as np
import pytest

from avocado_migdowntime.oracle.passes import Pass
from avocado_migdowntime.oracle.rounds import bursts_of_one_round, rounds_ended
from avocado_migdowntime.oracle.seam import Seam
from avocado_migdowntime.oracle.unsent import unsent_bytes
from avocado_migdowntime.trace.samples import Samples

from ..support.samples import PAGE, sample

BURST, LEFT, FOUND = 1000, 300, 5000
MBPS = BURST * (PAGE + 8) / 100 / 125
"""Of such a burst in each window of 100 ms."""
ALL, NOTHING, OPEN = (LEFT, LEFT), (0, 0), (0, LEFT)


def moment(t_ms, number, remaining, sent, rounds, latency_ms=0.5):
    return sample(t_ms / 1000, number, remaining, sent, MBPS, latency_ms=latency_ms, rounds=rounds)


def before(rounds=(1, 1), rest_ms=(20, 50, 99)):
    """Two bursts of so many rounds and the rests after them; the last sample is of -1 ms."""
    rows, ended = [], 0
    for burst, count in enumerate(rounds):
        ended += count
        begin_ms = 100 * (burst - len(rounds))
        sent = BURST * (burst + 1)
        rows += [moment(begin_ms + ms, 1, LEFT + BURST * len(rounds) - sent, sent, ended) for ms in rest_ms]
    return rows


def after(*seen, base=None):
    """Samples after the sync, of (ms, pages sent since, rounds ended since); `base` was sent and ended before."""
    base = base or before()[-1]
    sent, ended = base.ram.sent_pages, float(rounds_ended(Samples.of([base]))[0])
    k = sent + LEFT + FOUND
    return [moment(t_ms, 2, k - sent - more, sent + more, ended + rounds) for t_ms, more, rounds in seen]


def unsent(first, second, host_page=PAGE):
    found = unsent_bytes(*(Pass.of(Samples.of(rows)) for rows in (first, second)), host_page)
    return found.low / PAGE, found.high / PAGE


ONE_ROUND = (10, 1000, 1), (30, 1000, 1), (61, 1000, 1)
TWO_ROUNDS = (10, 1000, 2), (30, 1000, 2), (61, 1000, 2)


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (((1, 400, 0), *ONE_ROUND), ALL),
        (((1, 400, 0), *TWO_ROUNDS), ALL),
        (((1, 400, 1), *ONE_ROUND), ALL),
        (ONE_ROUND, ALL),
        (((1, 400, 1), *TWO_ROUNDS), NOTHING),
        (TWO_ROUNDS, NOTHING),
        (((1, 400, 1), (2, 500, 1)), OPEN),
        (((10, 1000, 3), (61, 1000, 3)), OPEN),
        (((10, 1000, 1.5), (61, 1000, 1.5)), OPEN),
        (((10, 1000, -1000), (61, 1000, -1000)), OPEN),
        # A burst is over when nothing was sent for half a window, from the first answer that shows it.
        (((10, 1000, 1), (60.6, 1000, 1)), ALL),
        (((10, 1000, 1), (60.4, 1000, 1)), OPEN),
        # A round that lasts for 50 ms is ended; counted from the last question to the answer.
        (((48.4, 1000, 2), (90, 1000, 2)), NOTHING),
        (((48.6, 1000, 2), (90, 1000, 2)), OPEN),
        # No window sends 1202 pages.
        (((10, 1202, 1), (61, 1202, 1)), ALL),
        (((10, 1203, 1), (61, 1203, 1)), OPEN),
        (((10, 1203, 2), (61, 1203, 2)), OPEN),
        # An answer may come when just as much was sent as was left.
        (((1, 300, 0), *ONE_ROUND), ALL),
        (((1, 300, 1), *TWO_ROUNDS), NOTHING),
        # What was left may have gone out before the sync where no more was sent.
        (((10, 300, 1), (61, 300, 1)), OPEN),
    ],
)
def test_of_the_rounds_of_a_burst_over_a_sync_the_last_is_of_the_pass_after_it(seen, found):
    assert unsent(before(), after(*seen)) == found


def test_the_header_of_a_page_that_is_on_its_way_is_no_round():
    """It has left what remains and is not counted as sent."""
    seen = after((10, 1000, 2), (30, 1000, 2), (61, 1000, 2), (80, 1001, 2), (82, 1002, 2))
    torn = [replace(one, ram=replace(one.ram, remaining_bytes=one.ram.remaining_bytes - PAGE)) for one in seen[:3]]
    assert unsent(before(), seen) == NOTHING
    assert unsent(before(), [*torn, *seen[3:], *after((84, 1003, 2), (86, 1004, 2))]) == OPEN


def test_what_a_sync_found_before_it_has_its_number_is_of_no_round_before_it():
    """What was seen of it then counts with what came after it, up to the page that is on its way."""
    rest, one, two = after((0, 0, 0), (1, 400, 1), (2, 500, 1))
    off = replace(one, ram=replace(one.ram, remaining_bytes=one.ram.remaining_bytes - PAGE))
    far = replace(one, ram=replace(one.ram, remaining_bytes=one.ram.remaining_bytes - 2 * PAGE))
    cases = (([one, two], 7, NOTHING), ([off, two], 7, NOTHING), ([far, off], 6, NOTHING), ([rest, two], 7, ALL))
    for early, rows, found in cases:
        numbered = [replace(row, ram=replace(row.ram, dirty_sync_count=1)) for row in early]
        first = [*before(), *(replace(row, t_s=0.001 * number) for number, row in enumerate(numbered))]
        seen = after((4, 600, 1), (10, 1000, 2), (30, 1000, 2), (61, 1000, 2), (99, 1000, 2), (120, 1100, 3))
        seam = Seam(*(Pass.of(Samples.of(one)) for one in (first, seen)))
        assert len(seam.since) == rows
        assert seam.rounds[-5:].tolist() == [1, 2, 2, 2, 2]
        assert (seam.rest.row, seam.before.last_row) == (5, 5)
        assert unsent(first, seen) == found


@pytest.mark.parametrize(
    ("first", "seen", "found"),
    [
        (before((1,)), ONE_ROUND, OPEN),  # No burst is seen from rest to rest.
        (before((1, 2)), ONE_ROUND, OPEN),
        (before((2, 1)), ONE_ROUND, ALL),  # Of the first burst to be seen nothing is known.
        (before((1, 2, 1)), ONE_ROUND, ALL),
        (before((1, 2, 1)), TWO_ROUNDS, OPEN),  # As RAM blocks with their names are among what is sent
        (before((1, 1, 1)), TWO_ROUNDS, NOTHING),
        (before(rest_ms=(48.4, 99)), ONE_ROUND, ALL),
        (before(rest_ms=(48.6, 99)), ONE_ROUND, OPEN),  # A busy host may halt a burst for 49.9 ms.
    ],
)
def test_rounds_tell_after_a_rest_and_where_a_burst_is_one_round(first, seen, found):
    assert unsent(first, after(*seen, base=first[-1])) == found


@pytest.mark.parametrize("host_page", [0, 8192, 2 << 20])
def test_on_hugepages_a_rest_is_in_the_midst_of_a_round(host_page):
    assert unsent(before(), after(*ONE_ROUND), host_page) == OPEN


def test_a_qemu_that_does_not_say_what_it_counted_leaves_it_open():
    silent = [
        [replace(one, ram=replace(one.ram, counted_bytes=None)) for one in rows]
        for rows in (before(), after(*ONE_ROUND))
    ]
    assert unsent(*silent) == OPEN


@pytest.mark.parametrize(("pages", "plain"), [(1150, True), (1151, False), (851, True), (849, False), (2300, True)])
def test_a_burst_is_as_large_as_the_bandwidth_says_within_15_percent(pages, plain):
    """One that was not sampled counts with the next: two windows send twice as much in two rounds."""
    rounds = max(1, pages // BURST)
    rows = [sample(0.06 * row, 1, 10, row // 2 * pages, MBPS, rounds=row // 2 * rounds) for row in range(6)]
    assert bursts_of_one_round(Samples.of(rows)).tolist() == [plain, plain]
    # A window that began late shows less.
    rows = [*rows[:2], *(replace(one, ram=replace(one.ram, mbps=MBPS / 2)) for one in rows[2:])]
    assert bursts_of_one_round(Samples.of(rows)).tolist() == [plain, plain]


@pytest.mark.parametrize(("halted_ms", "plain"), [(49, [True, True]), (51, [False, False, True])])
def test_a_burst_that_a_busy_host_halts_for_less_than_half_a_window_is_one(halted_ms, plain):
    """The header of a page on its way looks like the end of a round until the page is counted."""
    seen = (0, 0, 0), (60, 0, 0), (100, 90, 1), (100 + halted_ms, 90, 1), (180, 1000, 1), (240, 1000, 1)
    rows = [sample(t_ms / 1000, 1, 10, pages, MBPS, rounds=rounds) for t_ms, pages, rounds in seen]
    rows += [sample(t_ms / 1000, 1, 10, 2000, MBPS, rounds=2) for t_ms in (280, 340)]
    assert bursts_of_one_round(Samples.of(rows)).tolist() == plain


@pytest.mark.parametrize(("ms", "found"), [(38.4, NOTHING), (38.6, (0, LEFT - 50))])
def test_where_it_was_seen_to_send_since_it_rested_nothing_was_left(ms, found):
    """The rest was seen until -11 ms; until 50 ms later no round is ended but that of a pass."""
    sending = [*before(rest_ms=(20, 50, 89)), moment(-1, 1, LEFT - 50, 2050, 2)]
    assert unsent(sending, after((ms, 400, 1), (ms + 5, 500, 1), base=before()[-1])) == found


def test_zero_pages_cost_a_byte_more_than_a_header():
    rows = [sample(0, 1, 10, 0, rounds=3), sample(1, 1, 10, 7, zeros=5, rounds=4), sample(2, 1, 10, 9, zeros=5)]
    assert rounds_ended(Samples.of(rows))[:2].tolist() == [3, 4]
    assert np.isnan(rounds_ended(Samples.of(rows))[2])
