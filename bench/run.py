# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure this project on this host: `make bench`, or `python -m bench.run`. Figures have their spread."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.model import Trace
from bench import options
from bench.time_of_a_run import race

THROUGH_SLOF = {"boot": "firmware"}
CHECKED = {"ram": "2G", "region": "1G", "max_bandwidth": "100G", "passes": "1"}
BACKINGS = {"shared": {"backing": "memfd"}, "private": {"backing": "anonymous"}}
CAPPED = {"passes": "4", "max_bandwidth": "12000000"}
UNLIMITED = {"ram": "1G", "page_size": "4K", "region": "768M", "max_bandwidth": "100G", "passes": "20"}


def main() -> None:
    """Print the tables."""
    parser = options.parser("bench.run", __doc__)
    parser.add_argument("--runs", type=options.count, default=10, help="timed runs of each (default: %(default)s)")
    parser.add_argument(
        "--accuracy-runs", type=options.count, default=20, help="runs for accuracy (default: %(default)s)"
    )
    parser.add_argument(
        "--pairs", type=options.count, default=10, help="pairs for the cost of sampling (default: %(default)s)"
    )
    chosen = parser.parse_args()
    race(chosen.runs)
    print(f"\n{'avocado run to its end, s':<36} {'min':>8} {'median':>8} {'max':>8}")
    row("ppc64 through SLOF", [run(THROUGH_SLOF)[0] for _ in range(chosen.runs)], "{:8.2f}")
    verdicts = [run({})[1] for _ in range(chosen.accuracy_runs)]
    accurate = sum(verdict["verdict"] == "accurate" for verdict in verdicts)
    print(f"\n{accurate} of {len(verdicts)} runs of ppc64 accurate")
    row("|relative error|, %", [100 * abs(verdict["relative_error"] or 1) for verdict in verdicts], "{:8.4f}")
    print("\nthe guest held for the check of 1 GiB of its pages, s")
    for name, backing in BACKINGS.items():
        checked = CHECKED | backing | {"page_size": "4K"}
        row(name, [run(checked)[1]["downtime"]["held_ms"] / 1000 for _ in range(chosen.runs)], "{:8.2f}")
    print("\nbandwidth at 100 Hz ÷ bandwidth at 1 Hz, pair by pair")
    row("max-bandwidth 12 MB/s", list(paired(CAPPED, max(1, chosen.pairs // 3))), "{:8.4f}")
    row("as fast as the host can", list(paired(UNLIMITED, chosen.pairs)), "{:8.4f}")


def row(name: str, figures: list[float], form: str) -> None:
    """Print one line of a table: the least, the median and the greatest."""
    print(f"{name:<36}", *(form.format(figure) for figure in (min(figures), median(figures), max(figures))), flush=True)


def run(parameters: dict[str, str]) -> tuple[float, dict[str, Any]]:
    """Seconds that `avocado run` takes, and its verdict."""
    options = [word for name, value in parameters.items() for word in (f"--migdowntime-{name}", value)]
    with tempfile.TemporaryDirectory() as results:
        begun = time.monotonic()
        subprocess.run(
            [
                sys.executable,
                "-m",
                "avocado",
                "run",
                "--job-results-dir",
                results,
                *options,
                "migdowntime:expected-downtime",
            ],
            check=False,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - begun
        (verdict,) = Path(results).glob("latest/test-results/*/data/verdict.json")
        return seconds, json.loads(verdict.read_text())


def paired(parameters: dict[str, str], pairs: int) -> Iterator[float]:
    """Bandwidth when sampled at 100 Hz ÷ that at 1 Hz; the two alternate, and each comes first in every other pair."""
    for pair in range(pairs):
        rates = (100, 1) if pair % 2 else (1, 100)
        found = {rate: bandwidth(parameters | {"sample_rate": str(rate)}) for rate in rates}
        yield found[100] / found[1]


def bandwidth(parameters: dict[str, str]) -> float:
    """Bytes of pages per second that the migration sent after its first pass."""
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(expected_downtime(parse(parameters), Path(directory), lambda _: None))
        return sent_per_s(read(f"{directory}/trace.jsonl"))


def sent_per_s(trace: Trace) -> float:
    """Bytes per second from the second dirty sync to the last: between syncs, what was sent equals the growth of K."""
    evidence = Evidence.of(trace).undisturbed
    seen_s = evidence.samples[-1].t_s
    syncs = [e for e in trace.events if e.name == "MIGRATION_PASS" and e.side == "source" and e.t_s <= seen_s]
    began_s = {e.data["pass"]: e.t_s for e in syncs}
    conserved = {one.number: one.end_bytes for one in evidence.passes}
    last = max(number for number in conserved if number + 1 in began_s)
    return (conserved[last] - conserved[1]) / (began_s[last + 1] - began_s[2])


if __name__ == "__main__":
    options.run(main)
