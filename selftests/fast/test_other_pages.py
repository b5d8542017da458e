# SPDX-License-Identifier: GPL-2.0-or-later
"""How many host pages a pass may send besides those that the guest dirties, by what the pass before it left."""

from math import inf

import pytest

from avocado_migdowntime.oracle.other_pages import Others
from avocado_migdowntime.oracle.passes import Pass
from avocado_migdowntime.trace.samples import Samples

from ..support.samples import PAGE, sample

HUGE = 512 * PAGE
RAM = 65536 * PAGE
FIRMWARE = 40
BESIDE = 130
"""Pages of ROMs and tables beside RAM, as on pc."""


def a_pass(number, sent=0, left=0, found=100):
    """It begins with `found` pages to send; at its last sample so many of these are sent, and so many left."""
    before = 70_000 if number > 1 else 0
    return Pass.of(
        Samples.of(sample(number + 0.1 * row, number, left + (sent, 0)[row], before + (0, sent)[row]) for row in (0, 1))
    )


def first(left):
    return a_pass(1, 65536 + BESIDE - left, left)


def most(others, number):
    return others.in_pass(a_pass(number))


@pytest.mark.parametrize(
    ("left", "others"),
    [
        (0, FIRMWARE),
        (1, FIRMWARE + 1),
        (1.9, FIRMWARE + 1),
        (90, FIRMWARE + 90),
        # No more than there are beside RAM.
        (91, BESIDE),
        (130, BESIDE),
        (131, BESIDE + 131 / 512 + 2),
        # Two hugepages, or parts of three or four.
        (1024, BESIDE + 2 + 2),
    ],
)
def test_the_second_sends_what_firmware_wrote_and_what_the_first_left_at_the_end_of_all(left, others):
    after = Others(HUGE, RAM).after(first(left), left * PAGE)
    assert most(after, 2) == others
    assert most(after, 1) == most(after, 3) == inf


def test_where_all_that_is_migrated_is_on_hugepages_no_page_is_one_of_its_own():
    after = Others(HUGE, (65536 + BESIDE) * PAGE).after(first(512), 512 * PAGE)
    assert most(after, 2) == 1 + 2
    assert most(after.after(a_pass(2, 512, 500), 500 * PAGE), 3) == 0


@pytest.mark.parametrize(("others", "of_ram"), [(Others(), 0), (Others(HUGE), 2 + 1 / 512)])
def test_where_it_is_not_known_how_much_is_beside_ram_each_page_that_was_left_may_be(others, of_ram):
    assert most(others.after(first(1), PAGE), 2) == FIRMWARE + 1 + of_ram
    assert most(others.after(first(0), 0), 2) == FIRMWARE


@pytest.mark.parametrize(
    ("of_first", "sent", "left", "others"),
    [
        (100, 100, 0, 0),
        (100, 100, 7, 7),
        (100, 100, 39, 39),
        # What the first left is gone, or some of it.
        (100, 100, 500, FIRMWARE),
        (100, 99, 500, BESIDE),
        (100, 99, 41, 41),
    ],
)
def test_the_third_sends_what_of_that_is_left(of_first, sent, left, others):
    after = Others(HUGE, RAM).after(first(of_first), of_first * PAGE).after(a_pass(2, sent, left), left * PAGE)
    assert most(after, 3) == others


def test_and_so_on_until_nothing_was_left():
    after = Others(HUGE, RAM).after(first(0), 0).after(a_pass(2, 90, 500), 500 * PAGE)
    assert most(after, 3) == FIRMWARE
    assert most(after.after(a_pass(3, 90, 500), 500 * PAGE), 4) == FIRMWARE
    assert most(after.after(a_pass(3, 90, 3), 3 * PAGE).after(a_pass(4, 90, 9), 9 * PAGE), 5) == 3


def test_of_a_pass_before_which_nothing_was_seen_nothing_is_known():
    assert most(Others(HUGE, RAM), 2) == most(Others(HUGE, RAM), 7) == inf
    after = Others(HUGE, RAM).after(a_pass(7, 90, 20), 20 * PAGE)
    assert (most(after, 8), most(after, 7)) == (20, inf)
    # Of a missed pass nothing either.
    assert most(after.after(a_pass(9, 90, 30), 30 * PAGE), 10) == 30
