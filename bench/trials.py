# SPDX-License-Identifier: GPL-2.0-or-later
"""How often limits have the expected effect, and how far a real downtime is from the prediction: `python -m
bench.trials`.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from statistics import median
from typing import Any

from avocado_migdowntime.experiments.convergence import convergence
from avocado_migdowntime.experiments.downtime import downtime
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.verdict.verdict import Verdict
from bench import options

COMMON = {"accel": "tcg", "page_size": "4K"}
SLOW_LINK = {**COMMON, "link": "shaped", "max_bandwidth": "100G", "region": "80M"}


def main() -> None:
    """Print the results of the runs."""
    parser = options.parser("bench.trials", __doc__)
    parser.add_argument(
        "--runs", type=options.count, default=10, help="runs of each test and architecture (default: %(default)s)"
    )
    parser.add_argument("--downtimes", type=options.count, help="runs of downtime, where they are to be fewer")
    chosen = parser.parse_args()
    trials, downtimes = [], []
    for number in range(chosen.runs):
        for arch in ("ppc64", "x86_64"):
            trials.append(run(convergence, {**COMMON, "arch": arch, "max_bandwidth": "12000000"}))
            if chosen.downtimes is None or number < chosen.downtimes:
                downtimes.append(run(downtime, {**SLOW_LINK, "arch": arch}))
    print(f"convergence: {sum(verdict.passed is True for verdict in trials)} of {len(trials)} right")
    for verdict in trials:
        if not verdict.passed:
            print(f"  not: {'; '.join(verdict.reasons)}")
    errors = [abs(verdict.predicted_downtime.error) for verdict in downtimes if verdict.predicted_downtime]
    print(
        f"downtime: {len(errors)} of {len(downtimes)} told; |error| median {median(errors):.1%}, max {max(errors):.1%}"
    )


def run(experiment: Callable[..., Coroutine[Any, Any, Verdict]], parameters: dict[str, str]) -> Verdict:
    """One run of an experiment."""
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(experiment(parse(parameters), Path(directory), lambda _: None))


if __name__ == "__main__":
    options.run(main)
