# SPDX-License-Identifier: GPL-2.0-or-later
"""The dirty rate that a guest was ordered, compared with QEMU's `dirty-pages-rate`: `python -m bench.rates`."""

import asyncio
import tempfile
from pathlib import Path

from avocado_migdowntime.errors import MigDowntimeError
from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.parameters.table import ARCHITECTURES, parse
from bench import options

RATES = (500, 2000, 8000, 20000)
LINUX_RATES = (1000, 2000, 4000, 8000)
"""Under TCG a Linux program dirties at most 5 000 to 15 000 pages a second, see images/README.md."""
COMMON = {"accel": "tcg", "page_size": "4K", "ram": "512M", "passes": "2"}
REGION_S, SENT = 3, 1.25
"""The guest sweeps over its region in 3 s, and a pass sends 1.25 times as much as it dirties meanwhile.

So the first passes last longer than the second after which QEMU updates its figure. That figure leaves out pages that
were still unsent when they were dirtied again, as in the first pass; so the last figure counts.
"""


def main() -> None:
    """Print a row for each guest."""
    parser = options.parser("bench.rates", __doc__)
    parser.add_argument("--runs", type=options.count, default=2, help="runs of each (default: %(default)s)")
    parser.add_argument("--linux", action="store_true", help="Linux guests only")
    chosen = parser.parse_args()
    for arch in () if chosen.linux else ARCHITECTURES:
        report(arch, {"arch": arch}, RATES, chosen.runs)
    for arch in ("ppc64", "x86_64"):
        # Its first pass takes so long that only later passes find less than the whole region dirty.
        report(f"{arch}, Linux", {"arch": arch, "guest": "linux", "passes": "5"}, LINUX_RATES, chosen.runs)


def report(name: str, parameters: dict[str, str], rates: tuple[int, ...], runs: int) -> None:
    """Print one row: the ordered rate, and what QEMU saw in each run."""
    cells = (f"{rate}: {', '.join(seen(parameters, rate) for _ in range(runs))}" for rate in rates)
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def seen(parameters: dict[str, str], rate: int) -> str:
    """QEMU's last figure; marked if the guest said that it could not keep up."""
    with tempfile.TemporaryDirectory() as directory:
        own = {"rate": rate, "region": f"{rate * REGION_S * 4}K", "max_bandwidth": int(rate * 4096 * SENT)}
        try:
            asyncio.run(expected_downtime(parse({**COMMON, **parameters, **own}), Path(directory), lambda _: None))
        except MigDowntimeError as error:
            return str(error)
        figures = [
            s.ram.dirty_pages_per_s for s in Evidence.of(read(f"{directory}/trace.jsonl")).undisturbed.samples if s.ram
        ]
        lagged = "lagging" in Path(directory, "source.serial").read_text(errors="replace")
        return f"{figures[-1]}{' (lagging)' if lagged else ''}"


if __name__ == "__main__":
    options.run(main)
