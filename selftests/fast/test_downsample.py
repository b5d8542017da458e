# SPDX-License-Identifier: GPL-2.0-or-later
"""Which points are kept of a curve that is thinned, one by one."""

from math import nan

import numpy as np
import pytest

from avocado_migdowntime.pictures.chart import Chart, Panel, Role, Series
from avocado_migdowntime.pictures.downsample import rows_to_keep

ZIGZAG = [5.0, 1, 9, 5, 5, 5, 5, 5, 5, 5, 2, 8, 5, 5, 5, 5, 5, 5, 5, 5]
"""20 points: the least and the greatest are the second and third of either half."""


def keeping(curves, buckets, t_s=None):
    arrays = [np.array(curve, dtype=float) for curve in curves]
    return rows_to_keep(
        np.arange(len(arrays[0]), dtype=float) if t_s is None else np.array(t_s), arrays, buckets
    ).tolist()


def test_of_each_stretch_the_first_the_last_the_least_and_the_greatest_are_kept():
    assert keeping([ZIGZAG], 2) == [0, 1, 2, 9, 10, 11, 19]


@pytest.mark.parametrize(("count", "thinned"), [(16, False), (17, True)])
def test_nothing_is_left_out_where_that_would_not_halve_the_points(count, thinned):
    flat = [1.0] * count
    assert keeping([flat], 2) == ([0, 7, 8, 16] if thinned else list(range(count)))


@pytest.mark.parametrize(("count", "thinned"), [(32, False), (33, True)])
def test_two_curves_may_keep_twice_as_many(count, thinned):
    found = keeping([range(count), [1.0] * count], 2)
    assert (len(found) < count) == thinned


def test_the_extremes_of_each_curve_are_kept():
    other = [0.0] * 20
    other[5], other[15] = -1.0, 1.0
    assert keeping([ZIGZAG, other], 1, range(20)) == [0, 1, 2, 5, 15, 19]


def test_stretches_are_of_equal_time_and_the_end_belongs_to_the_last():
    times_s = [100.0, *np.linspace(100.1, 100.9, 17), 109.0, 110.0]
    assert keeping([[1.0] * 20], 2, times_s) == [0, 17, 18, 19]


def test_a_gap_of_each_stretch_is_kept():
    holed = [1.0] * 20
    holed[4] = holed[5] = holed[14] = nan
    assert keeping([holed], 2) == [0, 4, 9, 10, 14, 19]
    late = [1.0] * 20
    late[14] = nan
    assert keeping([late], 2) == [0, 9, 10, 14, 19]
    assert keeping([[nan] * 20], 2) == [0, 9, 10, 19]


def test_samples_of_one_moment_are_one_stretch():
    assert keeping([ZIGZAG], 2, [7.0] * 20) == [0, 1, 2, 19]


def series(role, count=2000):
    t_s = np.arange(count, dtype=float)
    values = np.sin(t_s)
    return Series("s", role, t_s, values, low=values - 1, high=values + 2)


@pytest.mark.parametrize(
    ("role", "buckets", "stretches"),
    [(Role.REMAINING, 20, 20), (Role.AT_SYNC, 20, 2), (Role.DOWN, 29, 2), (Role.UNSENT, 9, 1), (Role.LIMIT, 9, 9)],
)
def test_markers_are_thinned_to_a_tenth_of_what_lines_are(role, buckets, stretches):
    whole = series(role)
    thin = whole.thinned(buckets)
    index = rows_to_keep(whole.t_s, [whole.values, whole.low, whole.high], stretches)
    assert thin.t_s.tolist() == whole.t_s[index].tolist() and len(index) < 2000
    assert thin.values.tolist() == whole.values[index].tolist()
    assert thin.low.tolist() == whole.low[index].tolist() and thin.high.tolist() == whole.high[index].tolist()
    assert (thin.name, thin.role) == ("s", role)


def test_a_curve_without_bounds_gets_none():
    thin = Series("s", Role.REMAINING, np.arange(100.0), np.arange(100.0)).thinned(2)
    assert thin.low is None and thin.high is None and thin.t_s.tolist() == [0, 49, 50, 99]


def test_the_extremes_of_the_bounds_are_kept():
    flat, low, high = (np.zeros(100) for _ in range(3))
    low[30], high[60] = -5, 5
    thin = Series("s", Role.REMAINING, np.arange(100.0), flat, low, high).thinned(1)
    assert thin.t_s.tolist() == [0, 30, 60, 99] and thin.low[1] == -5 and thin.high[2] == 5


def test_a_chart_is_thinned_in_all_its_parts_and_keeps_the_rest():
    panel = Panel("title", "MB", (series(Role.REMAINING), series(Role.UNSENT)), 7.0)
    begins_s = tuple((number, number / 10) for number in range(1, 101))
    chart = Chart((panel, panel), begins_s, (3.0, 4.0), 9.0)
    thin = chart.thinned(10)
    assert (thin.down_s, thin.end_s) == ((3.0, 4.0), 9.0)
    for one in thin.panels:
        assert (one.title, one.unit, one.top) == ("title", "MB", 7.0)
        assert [each.t_s.tolist() for each in one.series] == [each.thinned(10).t_s.tolist() for each in panel.series]
    index = rows_to_keep(np.array([at_s for _, at_s in begins_s]), [np.array([at_s for _, at_s in begins_s])], 10)
    assert len(index) == 20 and thin.begins_s == tuple(begins_s[at] for at in index)


def test_a_chart_without_passes_stays_without():
    assert Chart((), (), None, 1.0).thinned(5).begins_s == ()
