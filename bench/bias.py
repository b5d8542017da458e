# SPDX-License-Identifier: GPL-2.0-or-later
"""The smallest bias that is found, and false alarms on clean builds, by tolerance: `python -m bench.bias`.

Each run is real. It is judged as recorded, and with each report multiplied as in a biased QEMU, which truncates to
whole milliseconds.
"""

import asyncio
import tempfile
import time
from bisect import bisect_left
from collections import Counter
from dataclasses import replace
from itertools import cycle, islice, product
from pathlib import Path
from statistics import median

from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.experiments.run import TRACE
from avocado_migdowntime.faults.figures import EXPECTED, Scaled
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.host.one_at_a_time import alone_on_host
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.samples import Samples
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement
from bench import options

ARCHITECTURES = ("ppc64", "x86_64")
TOLERANCES = (0.01, 0.005, 0.002, 0.001)
PERMILLES = range(1, 51)
FOUND_IN = 20
"""A bias counts as found if it was found in this many consecutive runs."""
OTHERS_TURN_S = 0.5
"""Others that wait for the host check this often whether it is free."""


def main() -> None:
    """Print the table."""
    parser = options.parser("bench.bias", __doc__)
    parser.add_argument(
        "--runs", type=options.count, default=100, help="runs, of four guests in turn (default: %(default)s)"
    )
    parser.add_argument(
        "--qemu",
        action="append",
        type=options.pair,
        metavar="ARCH=PATH",
        default=[],
        help="another binary than the PATH's",
    )
    chosen = parser.parse_args()
    binaries = dict(chosen.qemu)
    if unknown := binaries.keys() - set(ARCHITECTURES):
        parser.error(f"--qemu {unknown.pop()}=… is for another architecture; expected {' or '.join(ARCHITECTURES)}")
    guests = [{"arch": arch, "pattern": order} for arch, order in product(ARCHITECTURES, ("sequential", "random"))]
    traces = [record(guest | {"qemu": binaries.get(guest["arch"], "")}) for guest in islice(cycle(guests), chosen.runs)]
    errors = [abs(verdict.relative_error) for verdict in map(judge, traces) if verdict.relative_error is not None]
    print(
        f"|relative error| of {len(errors)} of {len(traces)} runs: median {median(errors):.4%}, max {max(errors):.4%}"
    )
    print(f"{'tolerance':>9}  {'as recorded':<44}  least bias found in the first {FOUND_IN} runs, and in all")
    for tolerance in TOLERANCES:
        clean = Counter(str(judge(trace, tolerance=tolerance).verdict) for trace in traces)
        words = ", ".join(f"{count} {word}" for word, count in clean.most_common())
        up, down = ([least_bias(trace, sign, tolerance) for trace in traces] for sign in (1, -1))
        least = [f"+{max(up[:n]) / 10:g}% and -{max(down[:n]) / 10:g}%" for n in (FOUND_IN, len(traces))]
        print(f"{tolerance:>9.1%}  {words:<44}  {', '.join(least)}", flush=True)


def record(parameters: dict[str, str]) -> Trace:
    """The trace of one run under TCG."""
    time.sleep(OTHERS_TURN_S)
    with tempfile.TemporaryDirectory() as directory, alone_on_host(lambda _: None):
        asyncio.run(expected_downtime(parse({"accel": "tcg"} | parameters), Path(directory), lambda _: None))
        return read(str(Path(directory) / TRACE))


def least_bias(trace: Trace, sign: int, tolerance: float) -> int:
    """The smallest bias in permille, up or down, that is found inaccurate; one beyond the last if none is."""

    def found(permille: int) -> bool:
        return judge(biased(trace, 1 + sign * permille / 1000), tolerance=tolerance).verdict is Judgement.INACCURATE

    return PERMILLES[bisect_left(PERMILLES, True, key=found)]


def biased(trace: Trace, factor: float) -> Trace:
    """The same trace from a QEMU that reports `factor` times as much."""
    biased_ms = Scaled(factor).figure
    samples = (
        replace(sample, expected_downtime_ms=biased_ms({EXPECTED: sample.expected_downtime_ms}))
        if sample.expected_downtime_ms and sample.status == "active"
        else sample
        for sample in trace.samples
    )
    return replace(trace, samples=Samples.of(samples))


if __name__ == "__main__":
    options.run(main)
