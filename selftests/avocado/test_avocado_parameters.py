# SPDX-License-Identifier: GPL-2.0-or-later
"""Options, settings, -p and variants: which reach the test, and which goes before which."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avocado_migdowntime.parameters.table import ARCHITECTURES, describe

from ..support.avocado_command import TELLING, Finished, avocado, write_tests

MIB = 1 << 20
TIMED = """
class Timed(MigrationTest):
    def test(self):
        Path(self.outputdir, "timeout").write_text(str(self.timeout))
"""
Run = Callable[..., Finished]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    write_tests(tmp_path, TELLING)
    return lambda *arguments: avocado(tmp_path, "run", "made_up.py", "--disable-sysinfo", *arguments)


def parameters(finished: Finished) -> list[dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in finished.data("parameters.json")]
    assert found, finished.output
    return found


def test_options_alone(run: Run) -> None:
    [told] = parameters(run("--migdowntime-qemu", "/opt/qemu", "--migdowntime-page-size", "4K"))
    assert (told["qemu"], told["page_size"], told["region"]) == ("/opt/qemu", 4096, 20 * MIB)


def test_p_alone_and_under_an_option(run: Run) -> None:
    [told] = parameters(run("-p", "ram=512M", "-p", "region=8M", "--migdowntime-ram", "1G"))
    assert (told["ram"], told["region"]) == (1024 * MIB, 8 * MIB)


def test_configuration_file_goes_before_variants_and_an_option_before_it(run: Run, tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "avocado" / "avocado.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[migdowntime]\npattern = idle\nrate = 5\n")
    (tmp_path / "mine.yaml").write_text("pattern: random\npasses: 7\nrate: 3\ncapabilities: [xbzrle, multifd]\n")
    finished = run("-m", "mine.yaml", "--migdowntime-rate", "9")
    [told] = parameters(finished)
    assert (told["pattern"], told["rate"], told["passes"]) == ("idle", 9, 7)
    assert told["capabilities"] == ["xbzrle", "multifd"]


def test_packaged_variants_by_name_with_an_option_and_an_injection(run: Run) -> None:
    told = parameters(
        run(
            "-m",
            "architectures",
            "page_sizes",
            "--mux-filter-out",
            "/run/page/4K",
            "--mux-inject",
            "run:rate:5",
            "--migdowntime-region",
            "16M",
        )
    )
    assert sorted(t["arch"] for t in told) == sorted(ARCHITECTURES)
    assert {(t["page_size"], t["backing"], t["rate"], t["region"]) for t in told} == {(2 * MIB, "memfd", 5, 16 * MIB)}


def test_keys_for_other_tests_can_be_kept_apart(run: Run, tmp_path: Path) -> None:
    (tmp_path / "others.yaml").write_text("disk: nvme\n")
    assert [entry["status"] for entry in run("-m", "/other:others.yaml").tests.values()] == ["PASS"]


@pytest.mark.parametrize(
    ("given", "lasts_s"),
    [
        ({}, "130.0"),
        ({"timeout": 90}, "90.0"),
        ({"timeout": 50, "timeout_factor": 2}, "100.0"),
        ({"timeout": 1000}, "130.0"),
    ],
    ids=["neither", "shorter", "factor", "longer"],
)
def test_a_timeout_of_avocados_own_counts_where_it_is_shorter(
    given: dict[str, int], lasts_s: str, tmp_path: Path
) -> None:
    write_tests(tmp_path, TIMED)
    arguments = [word for name, number in given.items() for word in ("-p", f"{name}={number}")]
    finished = avocado(
        tmp_path, "run", "made_up.py", "--disable-sysinfo", "--migdowntime-time-limit", "100", *arguments
    )
    assert [path.read_text() for path in finished.data("timeout")] == [lasts_s]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ["-p", "burst=0/5"],
            "parameter burst: '0/5' is not WRITE/REST in ms with WRITE above 0, such as 200/800",
        ),
        (["-p", "foo=1"], "unknown parameter 'foo'; known are arch, qemu,"),
        (
            ["-p", "ram=12Q"],
            "parameter ram: '12Q' is not a size; write a whole number followed by K, M or G, such as 64M",
        ),
    ],
)
def test_a_bad_parameter_is_an_error_of_the_test(run: Run, arguments: list[str], reason: str) -> None:
    [entry] = run(*arguments).tests.values()
    assert entry["status"] == "ERROR"
    assert entry["fail_reason"].startswith(reason)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--migdowntime-ram", "12Q"],
            "parameter ram: '12Q' is not a size; write a whole number followed by K, M or G, such as 64M",
        ),
        (
            ["-m", "nope"],
            "-m nope: no such file or packaged variant; known are architectures, default, features-quick, "
            "features, guestperf-pause, guestperf, linux, original_ram, page_sizes, quick, stop_now, workloads",
        ),
    ],
)
def test_a_bad_option_is_refused_before_any_test(run: Run, arguments: list[str], sentence: str) -> None:
    finished = run(*arguments)
    assert (finished.output.strip(), finished.status) == (sentence, 4)
    assert not finished.results.exists()


def test_every_parameter_is_an_option_with_its_default(tmp_path: Path) -> None:
    shown = " ".join(avocado(tmp_path, "run", "--help").output.split())
    for row in describe():
        assert f"--migdowntime-{row.name.replace('_', '-')} {row.name.upper()} {row.meaning}" in shown
        assert not row.default or f"(default: {row.default})" in shown
