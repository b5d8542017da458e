# SPDX-License-Identifier: GPL-2.0-or-later
"""What came of faults at moments is kept in rows, and the page has all of them."""

import datetime
import json
import re
from dataclasses import replace

import pytest

from avocado_migdowntime.forms.file import read
from bench.rows import rows

from ..support import broken_monitor
from ..support.fault_cells import Cell, Outcome, cells, runs_twice, without_avocados_own
from ..support.fault_runs import KEPT, forget, keep, kept, page
from ..support.recorded import RECORDINGS

MID_PASS = Cell("SIGKILL", "source", "mid-pass")
AVOCADOS = """Error running method "render" of plugin "xunit": [Errno 28] No space left on device

Reproduced traceback from: /x/avocado/core/extension_manager.py:229
Traceback (most recent call last):
  File "/x/avocado/plugins/xunit.py", line 171, in render
    with open(xunit_path, "wb") as xunit_file:
OSError: [Errno 28] No space left on device
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tried" / "faults.jsonl"


def test_there_are_more_than_a_hundred_cells():
    assert len(cells()) == len(set(cells())) > 100 and MID_PASS in cells()


def test_each_has_its_place_on_the_page(path):
    keep(path, Outcome(MID_PASS, "ERROR", "said", ()))
    keep(path, Outcome(MID_PASS, "PASS", "said", ("left: /tmp/a", "log: b")))
    text, today = page(path), datetime.date.today()
    assert f"Of {len(cells())} cells, 1 were tried so far, 0 of them" in text
    assert f"2 jobs, the last on {today}. 1 had a wrong result." in text
    assert "\n| mid-pass | ERROR, **PASS, wrong** | - | - | - | - | - |\n" in text


def test_what_is_wrong_is_kept_by_its_kind(path):
    keep(path, Outcome(MID_PASS, "PASS", "said", ("left: /tmp/a", "log: b")))
    assert rows(path) == [
        {"date": str(datetime.date.today()), **vars(MID_PASS), "status": "PASS", "wrong": ["left"]},
    ]


def test_only_wrong_results_are_forgotten(path):
    right = Outcome(MID_PASS, "ERROR", "", ())
    for one in (right, Outcome(MID_PASS, "PASS", "", ("left",)), Outcome(cells()[0], "PASS", "", ("left",))):
        keep(path, one)
    forget(path, re.compile("mid-pass"))
    assert kept(path) == [right, Outcome(cells()[0], "PASS", "", ("left",))]


def test_each_row_is_of_a_cell_that_there_is():
    assert len(kept()) == len(rows(KEPT)) >= 351


def test_a_page_of_nothing_is_a_page(path):
    assert "0 jobs" in page(path) and not path.exists()


def test_tracebacks_of_avocado_itself_are_no_fault_of_ours():
    ours = AVOCADOS.replace("avocado/plugins/xunit.py", "avocado_migdowntime/plugins/page.py")
    assert "Traceback" not in without_avocados_own(AVOCADOS) and "No space left" in without_avocados_own(AVOCADOS)
    assert without_avocados_own(AVOCADOS + ours).count("Traceback") == 1


def test_a_row_is_a_line_of_its_own(path):
    keep(path, Outcome(MID_PASS, "ERROR", "", ()))
    before = path.read_text()
    keep(path, Outcome(MID_PASS, "PASS", "", ()))
    assert path.read_text().startswith(before) and json.loads(path.read_text().splitlines()[1])["status"] == "PASS"


def test_a_reply_to_another_command_is_one_that_has_an_id():
    greeting, reply = b'{"return": {}}', b'{"return": {}, "id": "x"}'
    assert broken_monitor.broken(greeting, broken_monitor.OTHER) == greeting + b"\n"
    assert json.loads(broken_monitor.broken(reply, broken_monitor.OTHER))["id"] == "of another"


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.jsonl.gz")), ids=lambda path: path.name)
def test_a_guest_that_runs_on_both_sides_would_be_noticed(path):
    trace = read(str(path))
    stopless = tuple(event for event in trace.events if (event.side, event.name) != ("source", "STOP"))
    arrives = trace.first_event("destination", "RESUME") is not None
    assert not runs_twice(trace) and runs_twice(replace(trace, events=stopless)) == arrives
