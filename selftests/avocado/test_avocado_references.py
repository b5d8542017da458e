# SPDX-License-Identifier: GPL-2.0-or-later
"""How tests, packaged variants and sub-commands are named on the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from avocado_migdowntime.basics.resources import directory, packaged_tests
from avocado_migdowntime.plugins import test_files

from ..support.avocado_command import avocado


def test_a_packaged_test_is_found_from_anywhere(tmp_path: Path) -> None:
    assert avocado(tmp_path, "list", "migdowntime:expected-downtime").output == (
        "migdowntime migdowntime:expected-downtime\n"
    )
    assert "migdowntime:expected-downtime" in avocado(tmp_path, "list", "migdowntime:").output


def test_a_file_of_ours_goes_to_our_runner(tmp_path: Path) -> None:
    path = directory("tests") / "expected_downtime.py"
    assert avocado(tmp_path, "list", str(path)).output == f"migdowntime {path}:ExpectedDowntime.test\n"


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    finished = avocado(tmp_path, "run", "migdowntime:NOPE")
    known = ", ".join(f"migdowntime:{name}" for name in packaged_tests())
    assert (finished.output, finished.status) == (f"There is no test migdowntime:NOPE; known are {known}\n", 2)


def test_packaged_default_is_the_whole_matrix(tmp_path: Path) -> None:
    output = avocado(tmp_path, "variants", "-m", "default").output
    assert output.startswith("Multiplex variants (8):")
    for architecture in ("ppc64", "x86_64"):
        for page in ("4K", "2M"):
            for workload in ("sequential", "random"):
                assert f"/run/architecture/{architecture}, /run/page/{page}, /run/workload/{workload}" in output


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "from avocado_migdowntime.avocado_test import MigrationTest as M\n"
            "class A(M):\n    def test_x(self): ...\n    def helper(self): ...\n"
            "class B(A):\n    def test_y(self): ...\n",
            ["A.test_x", "B.test_y"],
        ),
        ("# avocado_migdowntime.avocado_test\nclass A:\n    def test(self): ...\n", []),
        ("from avocado_migdowntime.avocado_test import MigrationTest\nclass A(MigrationTest:\n", []),
    ],
)
def test_tests_of_a_file(tmp_path: Path, source: str, expected: list[str]) -> None:
    path = tmp_path / "some.py"
    path.write_text(source)
    assert list(test_files.tests_in(path)) == expected


@pytest.mark.parametrize("arguments", [(), ("analyze",), ("analyze", "--nope", "x"), ("nope",)])
def test_bad_usage_of_a_sub_command_ends_with_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    finished = avocado(tmp_path, "migdowntime", *arguments)
    assert finished.status == 2
    assert finished.output.startswith("usage: avocado migdowntime")


def test_a_sub_command_prints_the_same_with_and_without_avocado(tmp_path: Path) -> None:
    (tmp_path / "case.txt").write_text(
        "Migration status: active\nexpected downtime: 1475 milliseconds\ntransferred ram: 18197383 kbytes\n"
        "throughput: 866.83 mbps\nremaining ram: 376892 kbytes\ntotal ram: 8388864 kbytes\n"
        "duplicate: 1678265 pages\nnormal: 4536795 pages\nnormal bytes: 18147180 kbytes\n"
        "dirty sync count: 6\npage size: 4 kbytes\ndirty pages rate: 39044 pages\n"
    )
    arguments = ("analyze", "--quiet", "case.txt")
    within = avocado(tmp_path, "migdowntime", *arguments)
    alone = subprocess.run(
        [sys.executable, "-m", "avocado_migdowntime", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (within.output, within.status) == (alone.stdout, alone.returncode)
    assert "1475 ms expected-downtime" in within.output
    assert within.status in (0, 1, 125)
