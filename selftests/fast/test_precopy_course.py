# SPDX-License-Identifier: GPL-2.0-or-later
"""The passes that are predicted, figure by figure, and when no more are.

10 000 bytes go out in a millisecond, so that a limit of 100 ms is a megabyte and a window of 100 ms another.
"""

import pytest

from avocado_migdowntime.prediction.precopy import MAX_PASSES, Course, PredictedPass, predict

RATE = 10_000.0


def replies(*found):
    """A guest of which the syncs find so many bytes, one after the other; what they were asked is kept."""
    asked, rest = [], list(found)

    def pending(duration_ms, unsent_bytes):
        asked.append((duration_ms, unsent_bytes))
        return rest.pop(0)

    return pending, asked


def test_a_pass_lasts_until_the_rest_fits_the_limit():
    pending, asked = replies(3e6, 0.5e6)
    course = predict(pending, RATE, 5e6, 100)
    assert course == Course((PredictedPass(5e6, 400, 1e6), PredictedPass(3e6, 200, 1e6)), True, 0.5e6)
    assert asked == [(400, 1e6), (200, 1e6)]
    assert course.duration_ms == 600


def test_a_pass_lasts_a_window_at_least_and_sends_no_more_than_there_is():
    pending, asked = replies(0.9e6)
    assert predict(pending, RATE, 1.5e6, 100).passes == (PredictedPass(1.5e6, 100, 0.5e6),)
    pending, asked = replies(0.0)
    assert predict(pending, RATE, 0.5e6, 10).passes == (PredictedPass(0.5e6, 100, 0.0),)
    assert asked == [(100, 0.0)]
    assert predict(replies(0.0)[0], RATE, 2.01e6, 100).passes == (PredictedPass(2.01e6, 101, 1e6),)


def test_what_fits_the_limit_exactly_does_not_fit():
    assert predict(replies(0.5e6)[0], RATE, 1e6, 100).passes == (PredictedPass(1e6, 100, 0.0),)
    assert predict(replies()[0], RATE, 1e6 - 1, 100) == Course((), True, 1e6 - 1)
    assert not predict(replies(1e6)[0], RATE, 1e6, 100).converges
    assert predict(replies(1e6 - 1)[0], RATE, 1e6, 100) == Course((PredictedPass(1e6, 100, 0.0),), True, 1e6 - 1)


def test_nothing_pending_fits_any_limit():
    assert predict(replies()[0], RATE, 0.0, 0) == Course((), True, 0.0)
    assert predict(replies(0.0)[0], RATE, 2e6, 0) == Course((PredictedPass(2e6, 200, 0.0),), True, 0.0)


@pytest.mark.parametrize(("shrinks_by", "goes_on"), [(4095, False), (4096, True), (4097, True)])
def test_passes_that_shrink_by_less_than_a_page_have_settled(shrinks_by, goes_on):
    course = predict(replies(5e6 - shrinks_by, 0.0)[0], RATE, 5e6, 100)
    assert len(course.passes) == 1 + goes_on
    assert (course.converges, course.left_bytes) == ((True, 0.0) if goes_on else (False, 5e6 - shrinks_by))


def test_a_course_without_an_end_is_given_up():
    course = predict(lambda ms, unsent: ms * RATE + unsent - 5000, RATE, 50e6, 100)
    assert (len(course.passes), course.converges, course.left_bytes) == (MAX_PASSES, False, 50e6 - MAX_PASSES * 5000)
    enough = predict(lambda ms, unsent: ms * RATE + unsent - 5000, RATE, 1e6 + 5000 * MAX_PASSES - 1, 100)
    assert enough.converges and len(enough.passes) == MAX_PASSES


@pytest.mark.parametrize(("threshold_bytes_per_ms", "unsent"), [(0.0, 1e6), (30_000, 3e6)])
def test_the_limit_is_that_of_the_switchovers_bandwidth_where_it_is_set(threshold_bytes_per_ms, unsent):
    course = predict(replies(0.0)[0], RATE, 5e6, 100, threshold_bytes_per_ms)
    assert course.passes == (PredictedPass(5e6, (5e6 - unsent) / RATE, unsent),)
