# SPDX-License-Identifier: GPL-2.0-or-later
"""Seconds from launch to the first dirtied page, and the guest's own part of them: `python -m bench.launch`."""

import tempfile
import time
from pathlib import Path
from statistics import median

from bench import options
from selftests.support.dirtier_guest import MIB, SHAPES, Guest


def main() -> None:
    """Print a row for each way to start a guest."""
    parser = options.parser("bench.launch", __doc__)
    parser.add_argument("--runs", type=options.count, default=5, help="runs of each (default: %(default)s)")
    chosen = parser.parse_args()
    print("| started as | launch to first page, s: min | median | max | from the program's start, ms: median |")
    print("| --- | --- | --- | --- | --- |")
    for shape in SHAPES:
        whole_s, own_ms = zip(*(first_page(shape) for _ in range(chosen.runs)), strict=True)
        cells = (f"{figure(whole_s):.2f}" for figure in (min, median, max))
        print(f"| {shape} | {' | '.join(cells)} | {median(own_ms):.1f} |", flush=True)


def first_page(shape: str) -> tuple[float, float]:
    """Seconds since the launch on the host's clock, and milliseconds since the guest's first instructions on the
    guest's.
    """
    with tempfile.TemporaryDirectory() as directory:
        begun = time.monotonic()
        guest = Guest(Path(directory), shape, "region=16M", 256 * MIB)
        try:
            told = guest.wait(lambda: guest.telemetry()["first_page_ticks"])
            whole_s = time.monotonic() - begun
            return whole_s, (told["first_page_ticks"] - told["boot_ticks"]) * 1000 / told["clock_hz"]
        finally:
            guest.end()


if __name__ == "__main__":
    options.run(main)
