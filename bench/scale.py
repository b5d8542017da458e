# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the page of jobs with many recorded tests, and this plugin's cost for each task: `python -m bench.scale`."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from avocado_migdowntime.report.html.page import OPEN_TESTS
from bench import options
from bench.cost import Cost, cost, peak_mb_of, used_s
from bench.recorded_jobs import write

_SUITE = """
import sys
from avocado.core.settings import settings
from avocado.core.suite import TestSuite

given = {"resolver.references": [sys.argv[1]], "yaml_to_mux.files": [sys.argv[2]]}
assert len(TestSuite.from_config({**settings.as_dict(), **given}).tests) == int(sys.argv[3])
"""
_DRY = "Test cancelled due to --dry-run"
"""What Avocado prints at the end of a test of a dry run."""
_REFERENCES = ("/bin/true", "migdowntime:expected-downtime")


def main() -> None:
    """Print the requested tables."""
    parser = options.parser("bench.scale", __doc__)
    parser.add_argument(
        "--pages", type=options.count, nargs="*", default=[100, 1000], help="tests of a job (default: 100 1000)"
    )
    parser.add_argument(
        "--tasks", type=options.count, nargs="*", default=[100, 1000], help="variants (default: 100 1000)"
    )
    parser.add_argument(
        "--suites", type=options.count, nargs="*", default=[100, 1000], help="variants (default: 100 1000)"
    )
    parser.add_argument(
        "--runs", type=options.count, default=3, help="times that a page is opened, a dry run done (default: 3)"
    )
    parser.add_argument(
        "--parts", type=options.count, nargs="*", default=[], help="variants of which only some are run"
    )
    parser.add_argument("--first", type=options.count, default=300, help="how many of them (default: %(default)s)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        for tests in chosen.pages:
            _of_page(Path(directory), tests, chosen.runs)
        for variants in chosen.suites:
            _of_suite(Path(directory), variants, chosen.runs)
        for variants in chosen.tasks:
            _of_dry_run(Path(directory), variants, chosen.runs)
        for variants in chosen.parts:
            _of_part(Path(directory), variants, chosen.first)


def _of_page(directory: Path, tests: int, runs: int) -> None:
    job, page = directory / f"job-{tests}", directory / f"page-{tests}.html"
    write(job, tests)
    report = ["-m", "avocado_migdowntime", "report", "--quiet", str(job), "--output", str(page)]
    took = _cost_at(directory, [sys.executable, *report])
    print(
        f"page of {tests} tests: {took.wall_s:.1f} s, of the processor {took.cpu_s:.1f} s, {took.peak_mb:.0f} MB, "
        f"size {page.stat().st_size / 1e6:.2f} MB"
    )
    opened = [seconds_to_open(page, packed=tests > OPEN_TESTS) for _ in range(runs)]
    names = ("table seen", "all read", "picture seen after it was asked for")
    for name, seconds in zip(names, zip(*opened, strict=True), strict=True):
        print(f"    {name}: {min(seconds):.2f}, {median(seconds):.2f}, {max(seconds):.2f} s")
    shutil.rmtree(job)


def seconds_to_open(page: Path, packed: bool) -> tuple[float, float, float]:
    """From a new browser's request until its table is visible, and all of it is read; and a picture's own time."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.as_uri())
        tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        read_ms = tab.evaluate("performance.now()")
        seen_ms = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        begun_s = time.monotonic()
        if packed:
            tab.locator("table a").last.click()
        tab.locator(".plot").last.scroll_into_view_if_needed()
        tab.wait_for_selector(".plot .main-svg")
        picture_s = time.monotonic() - begun_s
        browser.close()
    return seen_ms / 1000, read_ms / 1000, picture_s


def _tree(directory: Path, variants: int) -> Path:
    tree = directory / f"{variants}.yaml"
    leaves = "".join(f"    v{number:06}:\n      seed: {number}\n" for number in range(variants))
    tree.write_text(f"run: !mux\n{leaves}")
    return tree


def _of_suite(directory: Path, variants: int, runs: int) -> None:
    """The cost of preparing a job's tests without running any: everything but their tasks."""
    tree = _tree(directory, variants)
    line = [sys.executable, "-P", "-W", "ignore", "-c", _SUITE]
    commands = [[*line, reference, str(tree), str(variants)] for reference in _REFERENCES]
    # Both at the same time, because other load comes and goes within one.
    with ThreadPoolExecutor(len(commands)) as pool:
        pairs = [tuple(pool.map(partial(_cost_at, directory), commands)) for _ in range(runs)]
    for reference, found in zip(_REFERENCES, zip(*pairs, strict=True), strict=True):
        cpu_s, peak_mb = median(one.cpu_s for one in found), median(one.peak_mb for one in found)
        print(f"suite of {variants} variants of {reference}: {cpu_s:.2f} s of the processor, {peak_mb:.1f} MB")
    ratios = [ours.cpu_s / plain.cpu_s for plain, ours in pairs]
    print(f"    ours ÷ Avocado's: {min(ratios):.3f}, {median(ratios):.3f}, {max(ratios):.3f}", flush=True)


def _of_dry_run(directory: Path, variants: int, runs: int) -> None:
    tree = _tree(directory, variants)
    plain, ours = [], []
    # Alternating, because other load comes and goes.
    for _ in range(runs):
        plain.append(_dry_run(directory, tree, _REFERENCES[0]))
        ours.append(_dry_run(directory, tree, _REFERENCES[1]))
    for name, found in zip(_REFERENCES, (plain, ours), strict=True):
        wall_s, cpu_s = median(one.wall_s for one in found), median(one.cpu_s for one in found)
        peak_mb = median(one.peak_mb for one in found)
        print(
            f"dry run of {variants} variants of {name}: {wall_s:.1f} s, of the processor {cpu_s:.1f} s, "
            f"{peak_mb:.0f} MB; {1000 * cpu_s / variants:.1f} ms of the processor each"
        )


def _of_part(directory: Path, variants: int, first: int) -> None:
    """The cost of each task at the start of a dry run that is too long to be waited for."""
    tree = _tree(directory, variants)
    for reference in _REFERENCES:
        with subprocess.Popen(
            _dry_run_command(tree, reference),
            stdout=subprocess.PIPE,
            text=True,
            env=_of_user(directory),
            start_new_session=True,
        ) as run:
            assert run.stdout is not None
            ends = (line for line in run.stdout if _DRY in line)
            next(ends)
            before_s = used_s(run.pid)
            for _ in range(first):
                next(ends)
            each_s, peak_mb = (used_s(run.pid) - before_s) / first, peak_mb_of(run.pid)
            os.killpg(run.pid, signal.SIGKILL)
        print(
            f"dry run of {variants} variants of {reference}: {before_s:.0f} s of the processor until the first has "
            f"ended, {peak_mb:.0f} MB; {1000 * each_s:.1f} ms of the processor for each of the next {first}",
            flush=True,
        )


def _dry_run(directory: Path, tree: Path, reference: str) -> Cost:
    return _cost_at(directory, _dry_run_command(tree, reference))


def _dry_run_command(tree: Path, reference: str) -> list[str]:
    run = ["-P", "-W", "ignore", "-m", "avocado", "run", "--dry-run", "--disable-sysinfo", reference, "-m", str(tree)]
    return [sys.executable, *run]


def _cost_at(home: Path, command: Sequence[str]) -> Cost:
    """The cost of a command of a user with this `home`."""
    return cost(command, _of_user(home))


def _of_user(home: Path) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return {**environment, "HOME": str(home), "TMPDIR": str(home)}


if __name__ == "__main__":
    options.run(main)
