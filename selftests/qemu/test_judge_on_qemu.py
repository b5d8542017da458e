# SPDX-License-Identifier: GPL-2.0-or-later
"""`judge` on real QEMUs: good, bad and neither; interrupted; without Avocado; and by meson, as docs/ci.md shows it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from avocado_migdowntime.faults.catalogue import named_fault
from avocado_migdowntime.faulty.launcher import write
from avocado_migdowntime.qemu.probe import find_binary

from ..support.avocado_command import command
from ..support.documents import TOP
from ..support.meson_lines import run_by_meson
from ..support.waiting import HANGS_S

pytestmark = pytest.mark.usefixtures("nothing_left")

SHORT = ["-p", "accel=tcg", "-p", "page_size=4K", "-p", "passes=1", "-p", "integrity=no"]
"""Parameters with which a run takes two seconds less."""
AT_ONCE = ["-p", "downtime_limit=60000", "-p", "max_bandwidth=1G"]
"""A migration that is over before there is a pass to judge."""


@pytest.fixture
def temporary(tmp_path):
    """The directory for temporary ones, which is empty."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    return directory


def started(temporary, *words):
    """`avocado migdowntime judge` under way."""
    line, environment = command(temporary.parent, "migdowntime", "judge", *words)
    environment["TMPDIR"] = str(temporary)
    return subprocess.Popen(
        line, cwd=temporary.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def judged(temporary, *words):
    """Its exit status and what it printed, on either output."""
    with started(temporary, *words) as process:
        out, said = process.communicate(timeout=HANGS_S)
    return process.returncode, out, said


def faulty(directory, fault, arch="ppc64"):
    launcher = directory / f"qemu-with-{fault}"
    write(launcher, named_fault(fault), find_binary(None, arch))
    return launcher


@pytest.mark.alone
def test_a_good_qemu(temporary):
    status, out, said = judged(temporary, "--qemu", find_binary(None, "x86_64"), *SHORT)
    assert status == 0, out + said
    assert "verdict    ACCURATE\ntested     QEMU " in out and " x86_64 " in out
    assert "migdowntime judge: waiting for the guest to continue" in said and list(temporary.iterdir()) == []


@pytest.mark.alone
def test_a_bad_qemu_of_which_the_files_are_kept(tmp_path, temporary):
    launcher = faulty(tmp_path, "factor=1.1", "x86_64")
    status, out, said = judged(temporary, "--quiet", "--json", "--qemu", str(launcher), *SHORT)
    assert status == 1, out + said
    verdict = json.loads(out)
    assert verdict["relative_error"] == pytest.approx(0.1, abs=0.005) and " x86_64 " in verdict["subject"]
    assert re.fullmatch(r"migdowntime judge: expected-downtime is inaccurate: the report is \+.*\n", said)
    [kept] = temporary.iterdir()
    assert verdict["files"] == str(kept)
    assert {path.name for path in kept.iterdir()} >= {"trace.jsonl", "verdict.json", "source.stderr", "source.command"}
    again = {name: value for name, value in verdict.items() if name != "files"}
    assert json.loads((kept / "verdict.json").read_text()) == again


def test_a_run_that_cannot_tell(temporary):
    status, out, said = judged(temporary, "--quiet", *SHORT, *AT_ONCE)
    assert status == 125, out + said
    assert "verdict    INCONCLUSIVE" in out and "no pass could be judged" in said
    status, out, said = judged(temporary, "--quiet", "--tap", *SHORT, *AT_ONCE)
    assert status == 0 and "\nok 1 report: no-pass # SKIP expected-downtime is inconclusive: " in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--qemu", "/nowhere"], "/nowhere does not exist"),
        (["--qemu", "/bin/true"], "/bin/true did not answer as a QEMU does"),
        (["--qemu", "/etc"], "the directory /etc has no qemu-system-*, and none in bin or build below it"),
        (["-p", "capabilities=none-such"], "has no migration capability none-such"),
        (["--arch", "x86_64", "--qemu", "{ppc64}"], "emulates ppc64, not x86_64; give another"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_tested_is_passed_over(words, says, temporary):
    words = [word.format(ppc64=find_binary(None, "ppc64")) for word in words]
    status, out, said = judged(temporary, "--quiet", "-p", "accel=tcg", "-p", "page_size=4K", *words)
    assert (status, out, said.count("\n")) == (125, "", 1) and says in said, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
@pytest.mark.parametrize("said", ["QEMU ", "pass ", "enough was seen", "waiting for the destination"])
def test_an_interrupted_run_ends_in_a_sentence_and_leaves_nothing(said, number, temporary):
    with started(temporary, "-p", "accel=tcg", "-p", "page_size=4K", "-p", "passes=1") as process:
        while said not in (line := process.stderr.readline()):
            assert line
        process.send_signal(number)
        out, told = process.communicate(timeout=HANGS_S)
    assert (process.returncode, out) == (130, "")
    *progress, last = told.splitlines()
    assert last == "migdowntime judge: interrupted"
    assert all(line.startswith("migdowntime judge: ") for line in progress), told
    assert list(temporary.iterdir()) == []


@pytest.mark.alone
def test_a_host_without_avocado_judges_as_well(tmp_path):
    line = "import sys; sys.modules['avocado'] = None; from avocado_migdowntime.__main__ import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", line, "judge", "--quiet", *SHORT],
        cwd=TOP,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "") and "verdict    ACCURATE" in done.stdout


@pytest.mark.alone
def test_meson_runs_the_lines_for_its_own_tests(tmp_path):
    good, wrong = Path(find_binary(None, "ppc64")), faulty(tmp_path, "dirty-rate", "x86_64")
    status, shown = run_by_meson(tmp_path, {"qemu-system-ppc64": good, "qemu-system-x86_64": wrong})
    assert status == 1, shown
    assert re.search(r"func-ppc64-expected-downtime +OK ", shown), shown
    assert re.search(r"func-x86_64-expected-downtime +(FAIL|ERROR) ", shown), shown
    assert re.search(r"report: another-formula +FAIL", shown), shown
    assert re.search(r"migdowntime judge: expected-downtime is inaccurate: the report is [-+]\d", shown), shown
