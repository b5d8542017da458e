# SPDX-License-Identifier: GPL-2.0-or-later
"""The walls between rooms: who may import whom, and what the pure core may do.

By grimp, which reads imports in functions and those for types too; import-linter, which is built on it, can neither
hold a module to a list of what it may import nor see a file that is opened.
"""

import re
from importlib.util import find_spec
from pathlib import Path

import grimp
import pytest

from selftests.support import purity, rooms

ROOT = Path(__file__).parents[2]

FLOORS = (
    ("errors", "agent"),
    ("basics",),
    ("trace",),
    ("oracle", "forms"),
    ("prediction",),
    ("verdict",),
    ("comparison", "guest_memory", "faults", "parameters", "watching"),
    ("pictures", "faulty"),
    ("host",),
    ("debian", "remote"),
    ("builds", "linux"),
    ("qemu",),
    ("record", "doctor"),
    ("report",),
    ("experiments", "verification", "avocado_test"),
    ("cli",),
    ("plugins", "__main__"),
)
"""From below. A room may import those of the floors below it, and none beside it."""

CORE = (
    *("trace", "forms", "oracle", "prediction", "verdict", "comparison", "guest_memory", "faults", "pictures"),
    *("errors", "watching", "agent.page_sums"),
    *("basics.alike", "basics.batches", "basics.interval", "basics.lazy_sequence", "basics.names", "basics.printable"),
    *("basics.qemu_constants", "basics.units"),
    *("parameters.bandwidth", "parameters.capabilities", "parameters.host_address"),
    *("parameters.migrate_parameters", "parameters.setting"),
    *("parameters.sources", "parameters.table", "parameters.values"),
)
"""What computes and does nothing else."""

COMPUTING = frozenset(
    (
        *(
            "array",
            "ast",
            "bisect",
            "codecs",
            "collections",
            "contextlib",
            "dataclasses",
            "difflib",
            "enum",
            "functools",
            "hashlib",
            "html",
            "itertools",
            "json",
            "math",
            "msgspec",
        ),
        *("numpy", "re", "reprlib", "shlex", "statistics", "struct", "typing", "zlib"),
    )
)
"""What the core may import from outside, and does: no clock, no socket, no process, no thread, nothing of the host's.

So it has neither Avocado nor qemu.qmp, nor time, datetime, socket, subprocess, asyncio, threading, os or tempfile.
"""

READING = {
    "trace.file": {
        "pathlib": "a trace is a file, which is written while the migration runs",
        "avocado_migdowntime.basics.input_file": "how much of a file is read at once",
        "avocado_migdowntime.basics.whole_file": "a trace takes the place of no other file",
    },
    "forms.file": {
        "avocado_migdowntime.basics.input_file": "a recording or a text is read as what somebody else made",
    },
    "comparison.job_results": {
        "avocado_migdowntime.basics.input_file": "the results of a job are read as what somebody else made",
        "pathlib": "the results of a job are files of Avocado's, in folders that have to be looked through",
        "errno": "of links that form a loop Python 3.13 tells with another class than 3.12",
    },
}
"""The modules of the core that may touch files: what they import for that, and why."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return rooms.imports_of()


def test_each_room_has_a_floor(graph: grimp.ImportGraph) -> None:
    named = [f"{rooms.PACKAGE}.{room}" for floor in FLOORS for room in floor]
    assert sorted(named) == sorted(graph.find_children(rooms.PACKAGE))


def test_the_guide_shows_each_room_on_its_floor() -> None:
    rows = re.findall(r"^\| (\d+) \| (`.*?`) \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    shown = {(int(floor), name) for floor, names in rows for name in re.findall(r"`(\w+)(?:/|\.py)`", names)}
    assert shown == {(number, room) for number, floor in enumerate(FLOORS, 1) for room in floor}


def test_no_room_imports_from_above_or_beside(graph: grimp.ImportGraph) -> None:
    assert rooms.crossings(graph, FLOORS) == []


def test_no_import_runs_back_up_within_a_room_either(graph: grimp.ImportGraph) -> None:
    assert rooms.back_up(graph) == []


def test_no_room_imports_what_is_for_scripts(graph: grimp.ImportGraph) -> None:
    assert graph.find_modules_that_directly_import(rooms.PACKAGE) == set()
    assert graph.find_modules_directly_imported_by(rooms.PACKAGE) >= {f"{rooms.PACKAGE}.verdict.judge"}


def test_the_ground_floor_stands_on_errors_alone(graph: grimp.ImportGraph) -> None:
    assert rooms.arrows(graph)[f"{rooms.PACKAGE}.basics"] == {f"{rooms.PACKAGE}.errors"}


def test_the_core_imports_nothing_but_itself_and_what_computes(graph: grimp.ImportGraph) -> None:
    strangers = purity.strangers(graph, _core(graph), COMPUTING)
    readers = {(module, imported) for module, names in READING.items() for imported in names}
    assert {(rooms.short(module), imported) for module, imported in strangers} == readers


def test_what_the_core_may_import_is_no_more_than_it_does(graph: grimp.ImportGraph) -> None:
    imported = {name for module in _core(graph) for name in graph.find_modules_directly_imported_by(module)}
    assert imported >= COMPUTING


@pytest.mark.long
def test_the_core_opens_draws_and_prints_nothing(graph: grimp.ImportGraph) -> None:
    deeds = {(rooms.short(module), deed) for module in _core(graph) for deed in purity.deeds(_source(module))}
    assert deeds == set()


def _core(graph: grimp.ImportGraph) -> list[str]:
    named = {f"{rooms.PACKAGE}.{name}" for name in CORE}
    return sorted(named.union(*(graph.find_descendants(module) for module in named)))


def _source(module: str) -> str:
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).read_text()


HOUSE = {
    "__init__.py": "",
    "cellar.py": "import math",
    "shed.py": "",
    "attic/__init__.py": "",
    "attic/chest.py": "from .. import cellar\nfrom .box import KEY",
    "attic/box.py": "KEY = 1",
}
"""A package in which all is well."""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, source in HOUSE.items():
        file = tmp_path / "house" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "house"


@pytest.mark.parametrize(
    ("file", "source", "crossings", "back_up"),
    [
        ("cellar.py", "import math", [], 0),
        ("cellar.py", "def look():\n    from .attic.box import KEY", [("house.cellar", "house.attic")], 1),
        ("shed.py", "from . import cellar", [("house.shed", "house.cellar")], 0),
        ("attic/box.py", "from . import chest", [], 1),
    ],
)
def test_an_import_from_above_or_beside_would_be_noticed(
    house: Path, file: str, source: str, crossings: list[tuple[str, str]], back_up: int
) -> None:
    (house / file).write_text(source)
    graph = rooms.imports_of("house")
    assert rooms.crossings(graph, (("cellar", "shed"), ("attic",)), "house") == crossings
    assert len(rooms.back_up(graph, "house")) == back_up


def test_floors_are_counted_from_below(house: Path) -> None:
    floors = rooms.floors(rooms.arrows(rooms.imports_of("house"), "house"))
    assert floors == [["house.cellar", "house.shed"], ["house.attic"]]


@pytest.mark.parametrize(
    ("line", "stranger"),
    [
        ("import time", "time"),
        ("import os.path", "os"),
        ("from qemu.qmp import QMPClient", "qemu"),
        ("from house.shed import tool", "house.shed"),
    ],
)
def test_a_stranger_in_the_core_would_be_noticed(house: Path, line: str, stranger: str) -> None:
    (house / "cellar.py").write_text(f"import math\ndef now():\n    {line}")
    strangers = purity.strangers(rooms.imports_of("house"), ["house.cellar"], frozenset({"math"}))
    assert list(strangers) == [("house.cellar", stranger)]


@pytest.mark.parametrize(
    ("source", "deeds"),
    [
        ("def f(open_):\n    return open_ + path.opened", []),
        ("with open(path) as f: pass", ["open"]),
        ("print(eval('1'))", ["print", "eval"]),
        ("import numpy as np\nnp.random.default_rng(); np.load(path); np.array([1])", ["numpy.random", "numpy.load"]),
        ("from numpy import array, fromfile", ["numpy.fromfile"]),
    ],
)
def test_a_deed_of_the_core_would_be_noticed(source: str, deeds: list[str]) -> None:
    assert sorted(purity.deeds(source)) == sorted(deeds)
