# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the quick set with each Python and on each QEMU that is here, and write docs/versions.md.

A Python is a `python3.N` on the PATH, from 3.11 on. A QEMU is the installed one, or that of a suite which was unpacked
by `avocado migdowntime qemu add`. `--match` is for a part, such as '3.12.*fast'; what is not run again stays on
the page with the day on which it was.
"""

import argparse
import datetime
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "versions.md"
ENVIRONMENTS = TOP / "results" / "versions"
OLDEST, NEWEST = 11, 15
"""Minor releases of Python 3 to look for."""
ARCHITECTURES = ("ppc64", "x86_64")
HEAD = """# Supported versions

Made by `make versions`, with Avocado {avocado}. Python {oldest} or later is needed, and QEMU 5.2 or later.

| Python | what | QEMU | result | last run |
| --- | --- | --- | --- | --- |
"""
_ROW = re.compile(r"^\| (3\.\S+) \| (.+?) \| (\S+) \| (.+?) \| (\d{4}-\d\d-\d\d) \|$", re.MULTILINE)


class Cell(NamedTuple):
    """Something that is run with a Python, perhaps on a QEMU."""

    python: str
    what: str
    qemu: str = "-"


class Result(NamedTuple):
    """What came of it, and when."""

    said: str
    day: str

    @property
    def passed(self) -> bool:
        """Whether it is as it should be."""
        tests = r"\d+ passed(, \d+ (skipped|warnings?))*"
        return self.said in ("passed", "accurate") or re.fullmatch(tests, self.said) is not None


def main() -> int:
    """Run what matches, print each result as it comes, and write the page; 1 where something did not pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--match", default="", help="what of 'Python, what, QEMU' to run (default: all)")
    wanted = parser.parse_args().match
    passed = True
    for python in pythons():
        for cell, run_it in offered(python):
            if re.search(wanted, ", ".join(cell)):
                result = Result(prepare(python, environment_of(cell)) or run_it(), str(datetime.date.today()))
                print(" | ".join((*cell, *result)), flush=True)
                passed &= result.passed
                PAGE.write_text(page({**kept(), cell: result}))
    return 0 if passed else 1


def kept() -> dict[Cell, Result]:
    """What the page says."""
    text = PAGE.read_text() if PAGE.exists() else ""
    return {Cell(*found[:3]): Result(*found[3:]) for found in _ROW.findall(text)}


def page(known: Mapping[Cell, Result]) -> str:
    """The whole page."""
    [avocado] = re.findall(r'"avocado-framework==([\d.]+)', (TOP / "setup.py").read_text())
    rows = sorted(known.items(), key=lambda item: ([*map(int, item[0].python.split("."))], item[0].what, item[0].qemu))
    lines = "".join(f"| {' | '.join((*cell, *result))} |\n" for cell, result in rows)
    return HEAD.format(avocado=avocado.rstrip("."), oldest=f"3.{OLDEST}") + lines


def pythons() -> Iterator[str]:
    """Those on the PATH that start, the oldest first."""
    for minor in range(OLDEST, NEWEST + 1):
        path = shutil.which(f"python3.{minor}")
        if path and run([path, "-c", ""]).returncode == 0:
            yield path


def offered(python: str) -> Iterator[tuple[Cell, Callable[[], str]]]:
    """What there is to run with a Python, and how."""
    release = run([python, "--version"]).stdout.split()[-1]
    cell = Cell(release, "fast tests")
    yield cell, partial(fast_tests, environment_of(cell))
    for number, (qemu, words) in enumerate(qemus()):
        if not number:
            yield Cell(release, "quick job of Avocado", qemu), partial(quick_job, environment_of(cell))
        for arch in ARCHITECTURES:
            yield Cell(release, f"`judge` of {arch}", qemu), partial(judged, environment_of(cell), words, arch)


def environment_of(cell: Cell) -> Path:
    """The virtual environment in which it is run."""
    return ENVIRONMENTS / cell.python


def prepare(python: str, environment: Path) -> str:
    """See that there is a virtual environment with this project in it; says why that failed, else nothing."""
    [wheel] = (TOP / ".venv" / "wheel").glob("*.whl")
    done = environment / "done"
    if done.exists() and done.stat().st_mtime > wheel.stat().st_mtime:
        return ""
    for command in (
        [python, "-m", "venv", "--clear", str(environment)],
        [str(environment / "bin" / "pip"), "install", "--quiet", f"{wheel}[dev]"],
    ):
        if (tried := run(command)).returncode:
            return f"not installed: {(tried.stderr.strip() or tried.stdout.strip()).splitlines()[-1]}"
    done.touch()
    return ""


def fast_tests(environment: Path) -> str:
    """The last line of pytest's, without the time."""
    done = run([str(environment / "bin" / "python"), "-m", "pytest", "-q", "-n", "auto", "selftests/fast"])
    return re.sub(r" in .*", "", (done.stdout.strip() or "nothing was run").splitlines()[-1])


def quick_job(environment: Path) -> str:
    """Whether the job of docs/ci.md passes."""
    words = ["run", "migdowntime:", "--filter-by-tags", "quick", "-m", "quick", "--job-results-dir"]
    done = run([str(environment / "bin" / "avocado"), *words, str(environment / "results")], environment)
    return "passed" if done.returncode == 0 else f"status {done.returncode}"


def qemus() -> Iterator[tuple[str, list[str]]]:
    """Each QEMU by its release, with the option that names it."""
    installed = run([shutil.which("qemu-system-x86_64") or "false", "--version"]).stdout
    if found := re.search(r"version (\d[\d.]*)", installed):
        yield found[1], []
    listed = run([sys.executable, "-m", "avocado_migdowntime", "qemu", "list", "--json"])
    for one in json.loads(listed.stdout or "[]"):
        if set(ARCHITECTURES) <= set(one["architectures"]):
            yield one["release"], ["--qemu", one["suite"]]


def judged(environment: Path, qemu: list[str], arch: str) -> str:
    """The verdict of one run, or why there is none."""
    words = ["-m", "avocado_migdowntime", "judge", "--json", "--quiet", "--arch", arch, "-p", "page_size=4K", *qemu]
    done = run([str(environment / "bin" / "python"), *words], cwd=environment)
    return str(json.loads(done.stdout)["verdict"]) if done.stdout else f"status {done.returncode}"


def run(command: list[str], cwd: Path = TOP) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with what it prints."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
