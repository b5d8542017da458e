# SPDX-License-Identifier: GPL-2.0-or-later
"""The figure of a page: however many panels a migration has, each has its own place."""

from itertools import pairwise

import numpy as np
import pytest

from avocado_migdowntime.pictures.chart import Chart, Panel, Role, Series
from avocado_migdowntime.report.html.figure import figure

UNITS = ("MB", "ms", "MB/s", "1000 pages/s", "CPUs")


@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_each_panel_has_a_place_of_its_own_and_the_whole_is_as_much_higher(count):
    series = Series("remaining now", Role.REMAINING, np.array([0.0, 1.0]), np.array([2.0, 1.0]))
    panels = tuple(Panel(unit, unit, (series,), 2.0) for unit in UNITS[:count])
    layout = figure(Chart(panels, ((1, 0.0),), None, 1.0))["layout"]
    axes = [layout[f"yaxis{number if number > 1 else ''}"]["domain"] for number in range(1, count + 1)]
    assert axes[0][1] == 1 and axes[-1][0] == pytest.approx(0, abs=1e-9) and all(0 <= low < high for low, high in axes)
    assert all(upper[0] > lower[1] for upper, lower in pairwise(axes)), "one covers another"
    heights = [layout["meta"]["height"] * (high - low) for low, high in axes]
    assert heights == pytest.approx([0.2, 0.5, 0.2, 0.2, 0.2][:count])
