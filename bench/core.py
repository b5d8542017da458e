# SPDX-License-Identifier: GPL-2.0-or-later
"""The cost of the core at any length, compared with the plainest decoding of the same lines: `python -m bench.core`.

Each figure is of a whole process. Figures that are divided by each other come from the same round, because other load
on the host slows both.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench import options
from bench.cost import Cost, cost
from bench.simulated import LONG_PASSES, PERIOD_MS, SHORT_PASSES, write

DECODE = """
import sys
import msgspec
for line in open(sys.argv[1], "rb"):
    msgspec.json.decode(line)
"""
COMMAND = [sys.executable, "-m", "avocado_migdowntime"]
SHORT_PERIOD_MS = 20
FEW_PASSES = (3_000, 3_000, 4_000)
FEW_MS = 6_000
"""A recording of 300 samples, one every 20 ms."""


def main() -> None:
    """Print the tables."""
    parser = options.parser("bench.core", __doc__)
    parser.add_argument("--runs", type=options.count, default=5, help="runs of each (default: %(default)s)")
    parser.add_argument("--samples", type=options.count, default=1_000_000, help="of the trace (default: %(default)s)")
    parser.add_argument("--recordings", type=options.count, default=100, help="in one page (default: %(default)s)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        measure_length(Path(directory), chosen.samples, chosen.runs)
        measure_many(Path(directory), chosen.recordings, chosen.runs)


def measure_length(place: Path, count: int, runs: int) -> None:
    """Measure the commands on long traces, alternating with decoding them."""
    short = made(place / "short.jsonl", count * SHORT_PERIOD_MS, SHORT_PERIOD_MS, SHORT_PASSES)
    once, twice = (made(place / f"{times}.jsonl", times * count * PERIOD_MS) for times in (1, 2))
    traces = {"passes of 365 samples": once, "the same, twice as long": twice, "passes of 70 samples": short}
    rounds = [{trace: costs(trace, place / "page.html") for trace in traces.values()} for _ in range(runs)]
    for name, trace in traces.items():
        print_trace(name, [one[trace] for one in rounds])
    print_head("twice as long ÷ once, processor time")
    for what in ("analyze", "advise"):
        print_row(what, [one[twice][what].cpu_s / one[once][what].cpu_s for one in rounds])


def measure_many(place: Path, count: int, runs: int) -> None:
    """Measure the page of many recordings."""
    recordings = [place / f"recording-{number}.jsonl" for number in range(count)]
    for number, path in enumerate(recordings):
        write(path, FEW_MS, SHORT_PERIOD_MS, FEW_PASSES, noise=0.01 + number / 1e4)
    page = place / "page.html"
    command = [*COMMAND, "report", "--quiet", *map(str, recordings), "--output", str(page)]
    taken = [cost(command) for _ in range(runs)]
    print_head(f"page of {count} recordings of 300 samples")
    print_row("until it is written, s", [one.wall_s for one in taken])
    print_row("processor time, s", [one.cpu_s for one in taken])
    print_row("peak of memory, MB", [one.peak_mb for one in taken], "{:.0f}")
    print_row("size, MB", [page.stat().st_size / 1e6])


def made(path: Path, duration_ms: int, period_ms: int = PERIOD_MS, pass_pages: Sequence[int] = LONG_PASSES) -> Path:
    """Write the file of a simulated migration; say what it has."""
    samples = write(path, duration_ms, period_ms, pass_pages)
    print(f"{samples} samples, {path.stat().st_size / 1e6:.0f} MB", flush=True)
    return path


def costs(trace: Path, page: Path) -> dict[str, Cost]:
    """The costs of decoding, each command and the page on one trace, one right after the other."""
    return {
        "decode": cost([sys.executable, "-c", DECODE, str(trace)]),
        "analyze": cost([*COMMAND, "analyze", "--quiet", str(trace)]),
        "advise": cost([*COMMAND, "advise", "--quiet", str(trace)]),
        "report": cost([*COMMAND, "report", "--quiet", str(trace), "--output", str(page)]),
    }


def print_trace(name: str, rounds: Sequence[dict[str, Cost]]) -> None:
    """Print the table of one trace."""
    print_head(name)
    print_row("decoding, s of the processor", [one["decode"].cpu_s for one in rounds])
    for what, by in (("analyze", "decode"), ("advise", "decode"), ("report", "analyze")):
        for kind, of in TIMES.items():
            print_row(f"`{what}` ÷ {by}, {kind}", [of(one[what]) / of(one[by]) for one in rounds])
    for what in ("analyze", "advise", "report"):
        print_row(f"`{what}`, peak of memory, MB", [one[what].peak_mb for one in rounds], "{:.0f}")


TIMES: dict[str, Callable[[Cost], float]] = {
    "processor time": lambda one: one.cpu_s,
    "from start to end": lambda one: one.wall_s,
}


def print_head(name: str) -> None:
    """Print the head of a table."""
    print(f"\n| {name} | min | median | max |\n| --- | --- | --- | --- |")


def print_row(name: str, figures: Sequence[float], form: str = "{:.2f}") -> None:
    """Print one line of a table."""
    shown = (form.format(of(figures)) for of in (min, median, max))
    print(f"| {name} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    options.run(main)
