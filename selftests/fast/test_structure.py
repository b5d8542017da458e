# SPDX-License-Identifier: GPL-2.0-or-later
"""Where tests lie, and what they and the measurements may import."""

import ast
import re
from pathlib import Path

import pytest

from ..support.documents import TOP

SELFTESTS = TOP / "selftests"
TESTS = sorted(SELFTESTS.rglob("test_*.py"))
SOURCES = sorted([*SELFTESTS.rglob("*.py"), *TOP.glob("bench/*.py")])


def imported(path: Path):
    """The full names of the modules that a file imports, and of what it imports from them."""
    package = path.relative_to(TOP).with_suffix("").parts[:-1]
    for node in _statements(ast.parse(path.read_text()).body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _statements(block):
    """Those of a block and of the blocks within it; what they compute imports nothing."""
    for node in block:
        yield node
        for inner in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _statements(getattr(node, inner, ()))


def is_of_a_test(name: str) -> bool:
    first, *parts = name.split(".")
    return first == "selftests" and any(part == "conftest" or part.startswith("test_") for part in parts)


@pytest.mark.long
def test_nothing_imports_a_test():
    assert [(path.name, name) for path in SOURCES for name in imported(path) if is_of_a_test(name)] == []


def test_imports_of_a_test_are_found(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "TOP", tmp_path)
    (tmp_path / "selftests" / "fast").mkdir(parents=True)
    path = tmp_path / "selftests" / "fast" / "some.py"
    path.write_text(
        "import selftests.fast.test_a\nfrom .test_b import c\nfrom ..qemu import test_d\nfrom .. import conftest\n"
        "from ..support.simulate import test_e_is_no_module, record\nimport test_of_others\n"
    )
    found = [name for name in imported(path) if is_of_a_test(name.removesuffix(".test_e_is_no_module"))]
    assert found == [
        "selftests.fast.test_a",
        "selftests.fast.test_b.c",
        "selftests.qemu.test_d",
        "selftests.conftest",
    ]


OWN_LIMIT = re.compile(r"(?:(?<!\")timeout=|timeout\(|monotonic\(\) \+ )\d\d|\.(?:wait|join)\(\d\d+\)")
"""A wait of ten seconds or more that a test gives up by itself: on a busy host it may take longer."""


def test_no_test_waits_by_a_limit_of_its_own():
    found = {
        f"{path.name}:{number}"
        for path in SELFTESTS.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if OWN_LIMIT.search(line)
    }
    assert found == set()
    for line in ("process.communicate(timeout={})[1]", "deadline = time.monotonic() + {}", "process.wait({})"):
        assert OWN_LIMIT.search(line.format(60)) and not OWN_LIMIT.search(line.format("HANGS_S"))


def test_each_test_lies_in_a_folder_by_what_it_needs(pytestconfig):
    markers = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    assert {path.relative_to(SELFTESTS).parts[0] for path in TESTS} <= markers
    assert {len(path.relative_to(SELFTESTS).parts) for path in TESTS} == {2}


def test_the_quick_tests_are_the_first_thing_that_is_said_of_them():
    text = (TOP / "CONTRIBUTING.md").read_text()
    assert text.split("`make ")[1].startswith("test`")


def test_no_milliseconds_are_told_by_a_power_of_ten():
    """`:g` writes 2e+06 for the greatest downtime-limit that there is."""
    found = {
        f"{path.name}:{number}"
        for path in (SELFTESTS.parent / "avocado_migdowntime").rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if ":g} ms" in line
    }
    assert found == set()
    assert f"{2e6:.10g} and {0.1 + 0.2:.10g}" == "2000000 and 0.3"


def test_only_quick_tests_are_long():
    """`make test` leaves these out; elsewhere the mark would change nothing."""
    long = {path.relative_to(SELFTESTS).parts[0] for path in TESTS if "@pytest.mark.long\n" in path.read_text()}
    assert long == {"fast", "property"}
