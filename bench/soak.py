# SPDX-License-Identifier: GPL-2.0-or-later
"""Does anything pile up? Repeats the default matrix in one process: `make soak SECONDS=3600`.

After each run it checks what this process has, and what the host has lent. It prints the figures of the first and the
last round, and fails if something grew that a run must return, or if a verdict accuses QEMU.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import median

from avocado_migdowntime.errors import HostRequirementError, MigDowntimeError
from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.host.one_at_a_time import alone_on_host
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.verdict.check import Outcome
from avocado_migdowntime.verdict.verdict import Judgement, Verdict
from bench import options
from selftests.support import leftovers

PAGES: Sequence[Mapping[str, str]] = (
    {"page_size": "4K", "backing": "anonymous"},
    {"page_size": "2M", "backing": "memfd"},
)
MATRIX = [
    {"arch": arch, **page, "pattern": pattern}
    for arch, page, pattern in product(("ppc64", "x86_64"), PAGES, ("sequential", "random"))
]
"""As in variants/default.yaml."""
_POOLS = Path("/sys/kernel/mm/hugepages")
_MB = 1 << 20
_GIVEN_BACK = ("descriptors", "threads", "left behind", "hugepages")
"""What must be the same after each run as after the first ones."""
_ENDING_S = 10.0
_ACCUSING, _BUT_WRONG = "inaccurate", "but wrong: "


def main() -> int:
    """Print the tables; return 1 if something piled up or was wrong."""
    parser = options.parser("bench.soak", __doc__)
    parser.add_argument(
        "--seconds", type=options.positive, default=3600, help="begin no run later (default: %(default)s)"
    )
    until_s = time.monotonic() + parser.parse_args().seconds
    leftovers.mark()
    verdicts, seen, matrix, number = Counter[str](), list[Mapping[str, float]](), list(MATRIX), 0
    while time.monotonic() < until_s and matrix:
        given = matrix[number % len(matrix)]
        said = _run(given)
        if said == "lacking":
            matrix.remove(given)
            print(f"left out: {given}", flush=True)
            continue
        verdicts[said] += 1
        seen.append(had())
        number += 1
        print(f"{number} {' '.join(given.values())}: {said}; {_shown(seen[-1])}", file=sys.stderr, flush=True)
    return told(verdicts, seen, max(1, len(matrix)))


def told(verdicts: Mapping[str, int], seen: Sequence[Mapping[str, float]], a_round: int) -> int:
    """Print the results; return 1 if something piled up or was wrong."""
    print(f"{len(seen)} runs: " + ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items())))
    print("| after each run | first round, median | last round, median | most |\n| --- | --- | --- | --- |")
    grown = []
    for name in seen[0] if seen else ():
        values = [one[name] for one in seen]
        first, last = median(values[:a_round]), median(values[-a_round:])
        print(f"| {name} | {first:g} | {last:g} | {max(values):g} |")
        if name in _GIVEN_BACK and last > first:
            grown.append(name)
    wrong = [verdict for verdict in verdicts if verdict not in ("accurate", "inconclusive")]
    alarms = sum(number for verdict, number in verdicts.items() if verdict == _ACCUSING or _BUT_WRONG in verdict)
    print(f"piled up: {', '.join(grown) or 'nothing'}; false alarms: {alarms}")
    return 1 if grown or wrong or not seen else 0


def _run(given: Mapping[str, str]) -> str:
    """The verdict, or the error."""
    with tempfile.TemporaryDirectory(prefix="mdt-soak-") as directory, alone_on_host(lambda _: None):
        try:
            return said(asyncio.run(expected_downtime(parse(given), Path(directory), lambda _: None)))
        except HostRequirementError:
            return "lacking"
        except MigDowntimeError as error:
            return f"error: {error}"


def said(verdict: Verdict) -> str:
    """The verdict; with what it finds wrong, if that is not the report."""
    failed = [f"{check.name} {check.code}" for check in verdict.checks if check.outcome is Outcome.FAILED]
    if not failed or verdict.verdict is Judgement.INACCURATE:
        return str(verdict.verdict)
    return f"{verdict.verdict}, {_BUT_WRONG}{' and '.join(failed)}"


def had() -> dict[str, float]:
    """What this process has, and what the host has because of it."""
    status = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    pools = list(_POOLS.glob("*/nr_hugepages"))
    return {
        "memory, MB": int(status["VmRSS"].split()[0]) * 1024 // _MB,
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": int(status["Threads"]),
        "left behind": len(_left()),
        "hugepages": sum(int(pool.read_text()) for pool in pools),
    }


def _left() -> set[str]:
    """What a run leaves; the reaper may need a moment to end."""
    until_s = time.monotonic() + _ENDING_S
    while (left := set(leftovers.traces_of_runs())) and time.monotonic() < until_s:
        time.sleep(0.05)
    return left


def _shown(had: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in had.items())


if __name__ == "__main__":
    options.run(main)
