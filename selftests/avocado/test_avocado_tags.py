# SPDX-License-Identifier: GPL-2.0-or-later
"""Tags: those of the tests are true, and Avocado filters by them."""

import runpy
from pathlib import Path

import pytest

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.basics.resources import packaged_tests
from avocado_migdowntime.parameters.table import ACCELERATORS, ARCHITECTURES
from avocado_migdowntime.plugins import test_files
from avocado_migdowntime.plugins.test_files import BASE_MODULE, merged

from ..support.avocado_command import TELLING, avocado, write_tests


def listed(directory: Path, tags: str) -> set[str]:
    lines = avocado(directory, "list", f"--filter-by-tags={tags}", "migdowntime:").output.splitlines()
    return {line.partition("migdowntime:")[2] for line in lines}


def test_tests_are_listed_by_their_tags(tmp_path: Path) -> None:
    assert listed(tmp_path, "root") == {"downtime", "hugepage-idle"}
    assert listed(tmp_path, "quick") == {"convergence", "expected-downtime"}
    others = packaged_tests().keys() - {"downtime", "hugepage-idle", "convergence", "expected-downtime"}
    assert listed(tmp_path, "-root,-quick") == others
    assert listed(tmp_path, "arch:arm,accel:kvm") == packaged_tests().keys()
    assert listed(tmp_path, "arch:m68k") == set()


@pytest.mark.parametrize("path", packaged_tests().values(), ids=packaged_tests())
def test_root_is_the_tag_of_what_takes_a_network_of_its_own(path: Path) -> None:
    [tags] = test_files.tests_in(path).values()
    classes = [one for one in runpy.run_path(str(path)).values() if isinstance(one, type)]
    [test] = [one for one in classes if issubclass(one, MigrationTest) and one is not MigrationTest]
    assert ("root" in tags) == (test.defaults.get("link") == "shaped")


def test_a_setting_for_all_tests_leaves_its_own_value_only(tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "avocado" / "avocado.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[migdowntime]\narch = x86_64\naccel = auto\n")
    assert listed(tmp_path, "arch:ppc64") == set()
    assert listed(tmp_path, "arch:x86_64,accel:tcg") == packaged_tests().keys()


@pytest.mark.parametrize(
    ("arguments", "arch", "accel"),
    [
        ((), ARCHITECTURES, ACCELERATORS),
        (("-p", "arch=s390x"), ["s390x"], ACCELERATORS),
        (("-p", "arch=s390x", "--migdowntime-arch", "arm", "--migdowntime-accel", "tcg"), ["arm"], ["tcg"]),
    ],
)
def test_tags_of_what_was_run_are_in_the_results(tmp_path, arguments, arch, accel):
    write_tests(tmp_path, TELLING)
    finished = avocado(tmp_path, "run", "made_up.py", "--disable-sysinfo", *arguments)
    tags = finished.tests["Telling"]["tags"]
    assert {name: sorted(values) for name, values in tags.items()} == {"arch": sorted(arch), "accel": sorted(accel)}


def test_options_reach_a_test_that_was_filtered(tmp_path: Path) -> None:
    write_tests(tmp_path, TELLING)
    chosen = ("--migdowntime-arch", "arm", "--migdowntime-passes", "7", "--disable-sysinfo")
    finished = avocado(tmp_path, "run", "made_up.py", "--filter-by-tags=arch:arm", *chosen)
    [told] = finished.data("parameters.json")
    assert '"arch": "arm"' in told.read_text() and '"passes": 7' in told.read_text()
    none = avocado(tmp_path, "run", "made_up.py", "--filter-by-tags=arch:ppc64", *chosen)
    assert none.status != 0 and "Test Suite could not be created" in none.output


def test_tags_are_inherited_and_added_to(tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    path.write_text(
        f"from {BASE_MODULE} import MigrationTest\n"
        'class A(MigrationTest):\n    """One.\n\n    :avocado: tags=slow,net:tcp\n    """\n    def test_x(self): ...\n'
        'class B(A):\n    """Two.\n\n    :avocado: tags=big\n    """\n'
        '    def test_y(self):\n        """:avocado: tags=net:unix"""\n'
    )
    assert test_files.tests_in(path) == {
        "A.test_x": {"slow": None, "net": {"tcp"}},
        "B.test_y": {"slow": None, "net": {"tcp", "unix"}, "big": None},
    }


def test_merging_leaves_what_was_merged_as_it_was() -> None:
    one = {"net": {"tcp"}}
    assert merged(one, {"net": {"unix"}}, {"net": None}) == {"net": {"tcp", "unix"}}
    assert one == {"net": {"tcp"}}
