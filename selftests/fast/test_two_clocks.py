# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a clock of another host is ahead: what is said holds the truth, however slow answers and clocks are."""

import random

import pytest

from avocado_migdowntime.remote.clock import Reading, ahead_s

AHEAD_S, SLEWED = 1234.5, 5e-4


def readings(count, slow_s, seed=1, slewed=SLEWED):
    """Of a clock that is ahead and goes faster than the one here, in answers that take up to so long."""
    lots = random.Random(seed)
    for number in range(count):
        asked_s = 0.5 * number
        read_s = asked_s + lots.uniform(0, slow_s)
        answered_s = read_s + lots.uniform(0, slow_s)
        yield Reading(asked_s, truth_s(read_s, slewed) + read_s, answered_s)


def truth_s(at_s, slewed=SLEWED):
    return AHEAD_S + slewed * at_s


@pytest.mark.parametrize("slow_s", [0.0005, 0.05, 2])
@pytest.mark.parametrize("slewed", [0, SLEWED, -SLEWED])
def test_the_truth_lies_in_what_is_said_at_any_time(slow_s, slewed):
    for seed in range(10):
        known = list(readings(60, slow_s, seed, slewed))
        for at_s in (0, 7.7, 29.5, 40):
            found = ahead_s(known, at_s, at_s)
            assert found.low <= truth_s(at_s, slewed) <= found.high
            assert found.width <= 2 * slow_s + 0.03
        while_s = ahead_s(known, 10, 20)
        assert all(while_s.low <= truth_s(at_s, slewed) <= while_s.high for at_s in (10, 15, 20))


def test_more_readings_leave_less_open():
    known = list(readings(60, 0.05))
    assert ahead_s(known, 15, 15).width < 0.6 * ahead_s(known[:1], 0, 0).width


def test_of_a_clock_that_was_set_meanwhile_and_of_one_that_was_never_read_nothing_is_said():
    before, after = (
        list(readings(20, 0.001)),
        [Reading(each.asked_s + 10, each.there_s + 11, each.answered_s + 10) for each in readings(20, 0.001)],
    )
    assert ahead_s([*before, *after], 10, 10) is None
    assert ahead_s([], 0, 0) is None
