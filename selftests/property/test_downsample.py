# SPDX-License-Identifier: GPL-2.0-or-later
"""Thinning a curve keeps its extremes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.pictures.downsample import rows_to_keep

VALUES = st.one_of(st.just(float("nan")), st.floats(-1e9, 1e9))


@given(
    st.lists(st.tuples(st.floats(0, 1e4), VALUES), min_size=1, max_size=600),
    st.integers(1, 20),
)
def test_thinning_keeps_the_extremes_of_each_stretch(points, buckets):
    points.sort(key=lambda point: point[0])
    t_s, curve = (np.array(column) for column in zip(*points, strict=True))
    keep = rows_to_keep(t_s, [curve], buckets)
    assert list(keep) == sorted(set(keep)) and keep[0] == 0 and keep[-1] == len(t_s) - 1
    assert len(keep) == len(t_s) or len(keep) <= 5 * buckets
    stretch = np.minimum((t_s - t_s[0]) / ((t_s[-1] - t_s[0]) / buckets or 1.0), buckets - 1).astype(int)
    for number in set(stretch):
        before, after = curve[stretch == number], curve[keep][stretch[keep] == number]
        assert np.isnan(before).any() == np.isnan(after).any()
        if np.isfinite(before).any():
            assert (np.nanmin(before), np.nanmax(before)) == (np.nanmin(after), np.nanmax(after))
