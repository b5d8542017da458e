# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the page of a long simulated migration that is sampled 70 times a second: `python -m bench.report`."""

import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from avocado_migdowntime.report.entry import recorded
from avocado_migdowntime.report.html.page import page
from bench import options
from bench.simulated import write


def main() -> None:
    """Print a line for each figure."""
    parser = options.parser("bench.report", __doc__)
    parser.add_argument(
        "--hours", type=options.positive, default=4, help="how long the migration lasts (default: %(default)s)"
    )
    parser.add_argument(
        "--runs", type=options.count, default=5, help="times that the page is opened (default: %(default)s)"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        trace, shown = Path(directory, "trace.jsonl"), Path(directory, "report.html")
        samples = write(trace, round(chosen.hours * 3_600_000))
        print(f"{samples} samples, {trace.stat().st_size / 1e6:.0f} MB")
        begun = time.monotonic()
        shown.write_bytes(page("bench", [recorded(str(trace))]))
        print(f"page made in {time.monotonic() - begun:.1f} s, {shown.stat().st_size / 1e6:.2f} MB")
        opened = [seconds_to_open(shown) for _ in range(chosen.runs)]
        for name, seconds in zip(
            ("answer and tables", "picture", "all of it read"), zip(*opened, strict=True), strict=True
        ):
            print(f"{name} after {median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s")


def seconds_to_open(path: Path) -> tuple[float, float, float]:
    """Seconds from a new browser's request until its answer is visible, its picture is, and everything is read."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"), args=["--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(path.as_uri())
        read_ms = tab.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
        tab.wait_for_selector(".plot .main-svg")
        # The lines are drawn once the browser has had two frames.
        tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        drawn_ms = tab.evaluate("performance.now()")
        seen_ms = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        browser.close()
    return seen_ms / 1000, drawn_ms / 1000, read_ms / 1000


if __name__ == "__main__":
    options.run(main)
