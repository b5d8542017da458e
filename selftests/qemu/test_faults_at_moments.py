# SPDX-License-Identifier: GPL-2.0-or-later
"""Some of the faults at moments; `make faults` makes all of them."""

import pytest

from ..support.fault_cells import Cell, cells, outcome

pytestmark = pytest.mark.alone

SOME = [
    Cell("SIGKILL", "source", "mid-pass"),
    Cell("SIGTERM", "destination", "boot"),
    Cell("SIGKILL", "test", "first pass"),
    Cell("SIGKILL", "runner", "at a sync"),
    Cell("Ctrl-C", "terminal", "slowed"),
]


@pytest.mark.parametrize("cell", SOME, ids=lambda cell: f"{cell.fault}-{cell.target}-{cell.moment}")
def test_a_fault_ends_a_job_in_order(cell):
    assert cell in cells() and outcome(cell).faults == ()
