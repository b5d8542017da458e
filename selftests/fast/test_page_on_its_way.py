# SPDX-License-Identifier: GPL-2.0-or-later
"""A page on its way at the last sample before a sync has left `remaining` and does not count as sent yet."""

from dataclasses import replace
from math import inf

import pytest

from ..support.around_a_sync import LEFT, NOTHING, after, before, mbps, unsent
from ..support.samples import PAGE, sample


def on_its_way(rounds=8):
    """The last sample before the sync is of a burst, 20 pages of which are sent and one is not counted yet."""
    rows = before((0, 20))
    return [*rows[:-1], sample(0, 3, LEFT - 21, 2020, mbps(), latency_ms=0.5, rounds=rounds)]


@pytest.mark.parametrize(
    ("rows", "pages", "found"),
    [
        (on_its_way(), LEFT, NOTHING),
        (on_its_way(rounds=7), LEFT, NOTHING),
        (on_its_way(), LEFT + 1, (0, LEFT - 21)),
        (on_its_way(), LEFT - 1, (0, LEFT - 21)),
        (before((0, 20)), LEFT, NOTHING),
    ],
)
def test_a_page_that_was_on_its_way_goes_out_with_what_was_left(rows, pages, found):
    """Just as much was sent at the first answer after the sync, however many hugepages are dirtied."""
    assert unsent(rows, after(pages=pages), most=inf) == found


def sending_again(rounds=7):
    """The last sample is just after the rest: one page is on its way, and none of the burst counts as sent yet."""
    return [*before(), sample(0, 3, LEFT - 1, 2000, mbps(), latency_ms=0.5, rounds=rounds)]


@pytest.mark.parametrize("rounds", [7, 8])
def test_a_page_on_its_way_ends_a_rest(rounds):
    assert unsent(sending_again(rounds), after()) == NOTHING
    assert unsent(sending_again(rounds), after(), most=inf) == (0, LEFT - 1)


def test_so_a_sync_after_it_does_not_come_before_all_that_was_sent_since():
    of_small_pages = {"most": inf, "host_page_bytes": PAGE}
    assert unsent(before(), after(pages=10), **of_small_pages) == (LEFT, LEFT)
    assert unsent(sending_again(), after(pages=10), **of_small_pages) == (LEFT - 1 - 10, LEFT - 1)


def test_unless_no_more_follows_in_that_window():
    assert unsent(on_its_way(), after(pages=LEFT)[:1] * 4, most=inf) == (0, LEFT - 21)


def test_without_such_a_page_a_round_has_to_have_ended_since():
    rows = [replace(row, ram=replace(row.ram, counted_bytes=row.ram.counted_bytes + 8)) for row in before((0, 20))]
    assert unsent(rows, after(pages=LEFT), most=inf) == (0, LEFT - 20)
