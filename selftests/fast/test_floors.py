# SPDX-License-Identifier: GPL-2.0-or-later
"""The judge is as well watched as it was: faults that are found, false alarms, mutants that are killed."""

import re
import tomllib

import pytest

from avocado_migdowntime.experiments.selftest import FAULTS
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement
from tools import mutant_results

from ..support.documents import TOP
from ..support.recorded import RECORDINGS

FLOORS = tomllib.loads(mutant_results.FLOORS.read_text())
MEASURED = (TOP / "bench" / "README.md").read_text()
FAULTY = [path for path in sorted(RECORDINGS.glob("*.jsonl.gz")) if "-with-" in path.name]
RIGHT = [path for path in sorted(RECORDINGS.glob("*.jsonl.gz")) if path not in FAULTY]


def rows(head):
    """The cells of the rows below each table's head that begins so."""
    for table in re.findall(rf"^\| {re.escape(head)} .*\n(?:\|.*\n)+", MEASURED, re.MULTILINE):
        yield from ([cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()[2:])


def test_as_many_faults_are_tried_and_found_as_were():
    assert len(FAULTS) >= FLOORS["faults"]["found"]
    every = [row[1] for row in rows("QEMU 7.2.22, TCG") if "all " in row[0]]
    assert every and all(found == "{0} of {0}".format(FLOORS["faults"]["found"]) for found in every)


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.name)
def test_a_recorded_fault_is_found(path):
    assert judge(read(str(path))).verdict is Judgement.INACCURATE


def test_no_more_alarms_are_false_than_were():
    measured = [int(row[4]) for row in rows("beside")]
    alarms = [path for path in RIGHT if judge(read(str(path))).verdict is Judgement.INACCURATE]
    assert len(measured) == 2 and len(RIGHT) > 8
    assert sum(measured) + len(alarms) <= FLOORS["alarms"]["false"]


def test_as_many_mutants_are_killed_as_were():
    killed = {row[0]: float(row[-1].removesuffix(" %")) for row in rows("room") if row[-1].endswith("%")}
    assert killed.keys() >= FLOORS["mutants"].keys()
    for room, least in FLOORS["mutants"].items():
        assert killed[room] >= least and mutant_results.floor(room) == least / 100
    assert mutant_results.floor("another") == 0.9
