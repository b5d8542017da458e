# SPDX-License-Identifier: GPL-2.0-or-later
"""Some of the faults at moments; `make faults` makes all of them."""

from datetime import date

import pytest

from ..support.fault_cells import Cell, Outcome, cells, outcome
from ..support.fault_runs import forget, keep, kept, page

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
    assert outcome(cell).faults == ()


def test_there_are_more_than_a_hundred_of_them_and_each_has_its_place_on_the_page(tmp_path):
    made = cells()
    assert len(made) == len(set(made)) > 100 and set(SOME) <= set(made)
    outcomes = [Outcome(SOME[0], "ERROR", "", ()), Outcome(SOME[0], "PASS", "", ("wrong",))]
    text = page(outcomes, date(2026, 1, 2))
    assert f"2 jobs in 1 of {len(made)} cells, 0 of which\nwere tried three times, the last on 2026-01-02" in text
    assert "\n| mid-pass | ERROR, **PASS, wrong** | - | - | - | - | - |\n" in text


def test_what_came_of_cells_is_kept_until_it_is_to_be_forgotten(tmp_path):
    path = tmp_path / "kept" / "faults.jsonl"
    outcomes = [Outcome(cell, "ERROR", "said", ("left: a",)) for cell in SOME]
    for one in outcomes:
        keep(path, one)
    assert kept(path) == outcomes
    forget(path, "^SIGKILL, source")
    assert kept(path) == outcomes[1:]
