# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the page of jobs of many recorded tests, and what this plugin adds to each task: `python -m bench.scale`."""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from avocado_migdowntime.report.html.page import OPEN_TESTS
from bench.recorded_jobs import write


@dataclass(frozen=True)
class Cost:
    """What a command took: from start to end, of the processor with its children, and of memory at most."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs="*", default=[100, 1000], help="tests of a job (default: 100 1000)")
    parser.add_argument("--tasks", type=int, nargs="*", default=[100, 1000], help="variants (default: 100 1000)")
    parser.add_argument("--runs", type=int, default=3, help="times that a page is opened, a dry run done (default: 3)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        for tests in chosen.pages:
            _of_page(Path(directory), tests, chosen.runs)
        for variants in chosen.tasks:
            _of_dry_run(Path(directory), variants, chosen.runs)


def _of_page(directory: Path, tests: int, runs: int) -> None:
    job, page = directory / f"job-{tests}", directory / f"page-{tests}.html"
    write(job, tests)
    report = ["-m", "avocado_migdowntime", "report", "--quiet", str(job), "--output", str(page)]
    cost = costs([sys.executable, *report], directory)
    print(
        f"page of {tests} tests: {cost.wall_s:.1f} s, of the processor {cost.cpu_s:.1f} s, {cost.peak_mb:.0f} MB, "
        f"size {page.stat().st_size / 1e6:.2f} MB"
    )
    opened = [seconds_to_open(page, packed=tests > OPEN_TESTS) for _ in range(runs)]
    names = ("table seen", "all read", "picture seen after it was asked for")
    for name, seconds in zip(names, zip(*opened, strict=True), strict=True):
        print(f"    {name}: {min(seconds):.2f}, {median(seconds):.2f}, {max(seconds):.2f} s")
    shutil.rmtree(job)


def seconds_to_open(page: Path, packed: bool) -> tuple[float, float, float]:
    """From the call for the page in a new browser until its table is seen, and all of it read; a picture's own time."""
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


def _of_dry_run(directory: Path, variants: int, runs: int) -> None:
    tree = directory / f"{variants}.yaml"
    leaves = "".join(f"    v{number:06}:\n      seed: {number}\n" for number in range(variants))
    tree.write_text(f"run: !mux\n{leaves}")
    plain, ours = [], []
    # In turn, as other work comes and goes.
    for _ in range(runs):
        plain.append(_dry_run(directory, tree, "/bin/true"))
        ours.append(_dry_run(directory, tree, "migdowntime:expected-downtime"))
    for name, found in (("/bin/true", plain), ("migdowntime:expected-downtime", ours)):
        wall_s, cpu_s = median(cost.wall_s for cost in found), median(cost.cpu_s for cost in found)
        peak_mb = median(cost.peak_mb for cost in found)
        print(
            f"dry run of {variants} variants of {name}: {wall_s:.1f} s, of the processor {cpu_s:.1f} s, "
            f"{peak_mb:.0f} MB; {1000 * cpu_s / variants:.1f} ms of the processor each"
        )


def _dry_run(directory: Path, tree: Path, reference: str) -> Cost:
    run = ["-P", "-W", "ignore", "-m", "avocado", "run", "--dry-run", "--disable-sysinfo", reference, "-m", str(tree)]
    return costs([sys.executable, *run], directory)


def costs(command: Sequence[str], home: Path) -> Cost:
    """Run a command, whose user's home is `home`, to its end."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun_s = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**environment, "HOME": str(home)})
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - begun_s
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s, cpu_s, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
