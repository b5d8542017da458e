# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the quick set with each Python and on each QEMU that is here, and write docs/versions.md.

A Python is a `python3.N` on the PATH, from 3.11 on. A QEMU is the installed one, or that of a suite which was unpacked
by `avocado migdowntime qemu add`.
"""

import datetime
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "versions.md"
OLDEST, NEWEST = 11, 15
"""Minor releases of Python 3 to look for."""
ARCHITECTURES = ("ppc64", "x86_64")
HEAD = """# Supported versions

Made by `make versions` on {day}, with Avocado {avocado}. Python {oldest} or later is needed.

| Python | fast tests | quick job of Avocado | QEMU | {architectures} |
| --- | --- | --- | --- |{dashes}
"""


def main() -> int:
    """Print each result as it comes, and write the page; 1 where something did not pass."""
    rows, passed = [], True
    for python in pythons():
        with tempfile.TemporaryDirectory(prefix="migdowntime-versions-") as directory:
            environment = Path(directory)
            if why := prepare(python, environment):
                rows.append((release_of(python), why, "-", "-", *("-" for _ in ARCHITECTURES)))
                passed = False
                continue
            tests, job = fast_tests(environment), quick_job(environment)
            for number, (release, qemu) in enumerate(qemus(environment)):
                verdicts = [judged(environment, qemu, arch) for arch in ARCHITECTURES]
                first = (release_of(python), tests, job) if not number else ("", "", "")
                rows.append((*first, release, *verdicts))
                passed &= all(verdict == "accurate" for verdict in verdicts)
            passed &= "failed" not in tests and job == "passed"
    for row in rows:
        print(" | ".join(row), flush=True)
    PAGE.write_text(page(rows))
    return 0 if passed else 1


def pythons() -> Iterator[str]:
    """Those on the PATH that start, the oldest first."""
    for minor in range(OLDEST, NEWEST + 1):
        path = shutil.which(f"python3.{minor}")
        if path and run([path, "-c", ""]).returncode == 0:
            yield path


def release_of(python: str) -> str:
    """Its whole release."""
    return run([python, "--version"]).stdout.split()[-1]


def prepare(python: str, environment: Path) -> str:
    """Make a virtual environment with this project in it; says why that failed, else nothing."""
    [wheel] = (TOP / ".venv" / "wheel").glob("*.whl")
    for command in (
        [python, "-m", "venv", str(environment)],
        [str(environment / "bin" / "pip"), "install", "--quiet", f"{wheel}[dev]"],
    ):
        if (done := run(command)).returncode:
            return f"not installed: {(done.stderr.strip() or done.stdout.strip()).splitlines()[-1]}"
    return ""


def fast_tests(environment: Path) -> str:
    """The last line of pytest's, without the time."""
    done = run([str(environment / "bin" / "python"), "-m", "pytest", "-q", "-n", "auto", "selftests/fast"])
    return re.sub(r" in .*", "", (done.stdout.strip() or "nothing was run").splitlines()[-1])


def quick_job(environment: Path) -> str:
    """Whether the job of docs/ci.md passes."""
    results = environment / "results"
    words = ["run", "migdowntime:", "--filter-by-tags", "quick", "-m", "quick", "--job-results-dir"]
    done = run([str(environment / "bin" / "avocado"), *words, str(results)])
    return "passed" if done.returncode == 0 else f"status {done.returncode}"


def qemus(environment: Path) -> Iterator[tuple[str, list[str]]]:
    """Each QEMU by its release, with the option that names it."""
    installed = run([shutil.which("qemu-system-x86_64") or "false", "--version"]).stdout
    if found := re.search(r"version (\S+)", installed):
        yield found[1], []
    listed = run([str(environment / "bin" / "avocado"), "migdowntime", "qemu", "list", "--json"])
    for one in json.loads(listed.stdout or "[]"):
        if set(ARCHITECTURES) <= set(one["architectures"]):
            yield one["release"], ["--qemu", one["suite"]]


def judged(environment: Path, qemu: Sequence[str], arch: str) -> str:
    """The verdict of one run, or why there is none."""
    words = ["-m", "avocado_migdowntime", "judge", "--json", "--quiet", "--arch", arch, "-p", "page_size=4K", *qemu]
    done = run([str(environment / "bin" / "python"), *words], cwd=environment)
    return str(json.loads(done.stdout)["verdict"]) if done.stdout else f"status {done.returncode}"


def page(rows: Sequence[Sequence[str]]) -> str:
    """The whole page."""
    [avocado] = re.findall(r'"avocado-framework==([\d.]+)', (TOP / "setup.py").read_text())
    head = HEAD.format(
        day=datetime.date.today(),
        avocado=avocado.rstrip("."),
        oldest=f"3.{OLDEST}",
        architectures=" | ".join(ARCHITECTURES),
        dashes=" --- |" * len(ARCHITECTURES),
    )
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def run(command: Sequence[str], cwd: Path = TOP) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with what it prints."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
