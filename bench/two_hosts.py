# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrations between hosts (network namespaces, over a real sshd): verdicts, clocks, link, time of a run.

python -m bench.two_hosts --runs 10
python -m bench.two_hosts --runs 10 --sides between
"""

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.trace.events import CLOCK, HARNESS
from bench import options
from selftests.support.ssh_hosts import OTHER, THIRD, other_hosts

SIDES = {
    "to": [f"destination_host={OTHER}"],
    "from": [f"source_host={OTHER}"],
    "between": [f"source_host={OTHER}", f"destination_host={THIRD}"],
}
"""Which sides run on another host than the judge's."""


@dataclass(frozen=True)
class Outcome:
    """The result of one run; the offsets are half of the uncertainty of each other host's real-time clock."""

    relative_error: float
    took_s: float
    open_ms: tuple[float, ...]
    readings: tuple[int, ...]
    answer_ms: float
    link_mb_per_s: float


def main() -> None:
    """Print a line for each run, and the totals."""
    parser = options.parser("bench.two_hosts", __doc__)
    parser.add_argument("--runs", type=options.count, default=5, help="(default: %(default)s)")
    parser.add_argument("--sides", choices=SIDES, default="to", help="(default: %(default)s)")
    parser.add_argument(
        "given", nargs="*", type=options.pair, metavar="NAME=VALUE", help="parameters, such as arch=x86_64"
    )
    arguments = parser.parse_args()
    parameters = [*SIDES[arguments.sides], *map("=".join, arguments.given)]
    given = [word for parameter in parameters for word in ("-p", parameter)]
    accurate, outcomes = 0, []
    with other_hosts(2) as hosts, tempfile.TemporaryDirectory(prefix="two-hosts-", dir="/var/tmp") as directory:
        for number in range(arguments.runs):
            output, begun_s = Path(directory, str(number)), time.monotonic()
            status, out = hosts.run("judge", *given, "--output", str(output))
            took_s = time.monotonic() - begun_s
            accurate += status == 0
            if not (output / "verdict.json").exists():
                print(f"{number}: status {status}, {out.splitlines()[-1]}", flush=True)
                continue
            verdict = json.loads((output / "verdict.json").read_text())
            if verdict["relative_error"] is None:
                print(f"{number}: {verdict['verdict']}, {out.splitlines()[-1]}", flush=True)
                continue
            outcomes.append(_told(number, output, verdict, took_s, hosts.left()))
    print(f"{accurate} of {arguments.runs} accurate; {_all(outcomes)}")


def _told(number: int, output: Path, verdict: Any, took_s: float, left: list[str]) -> Outcome:
    trace = read(str(output / "trace.jsonl"))
    clocks = [event.data for event in trace.events if (event.side, event.name) == (HARNESS, CLOCK)]
    ahead = [
        f"{clock['ahead_s'][0] * 1000:+.2f} to {clock['ahead_s'][1] * 1000:+.2f} ms of the {clock['side']} "
        f"({clock['readings']} readings)"
        for clock in clocks
    ]
    down, link_mb_per_s = verdict["downtime"], trace.header["link_bytes_per_s"] / 1e6
    outcome = Outcome(
        verdict["relative_error"],
        took_s,
        tuple(500 * (clock["ahead_s"][1] - clock["ahead_s"][0]) for clock in clocks),
        tuple(clock["readings"] for clock in clocks),
        1000 * float(np.median(trace.samples.answered_s - trace.samples.t_s)),
        link_mb_per_s,
    )
    print(
        f"{number}: {verdict['verdict']} {verdict['relative_error']:+z.2%} in {took_s:.1f} s; clock ahead by "
        f"{', '.join(ahead)}; answers within {outcome.answer_ms:.2f} ms; link {link_mb_per_s:.0f} MB/s; down: QEMU "
        f"{down['qemu_ms']:.0f} ms, events {down['events_ms']:.0f} ± {down['events_open_ms']:.1f} ms, guest "
        f"{down['guest_ms']}; left there: {left}",
        flush=True,
    )
    return outcome


def _all(outcomes: list[Outcome]) -> str:
    if not outcomes:
        return "no verdict"
    readings = [number for outcome in outcomes for number in outcome.readings]
    links = [outcome.link_mb_per_s for outcome in outcomes]
    open_ms = [half_ms for outcome in outcomes for half_ms in outcome.open_ms]
    answers_ms = [outcome.answer_ms for outcome in outcomes]
    return (
        f"|relative error| at most {max(abs(outcome.relative_error) for outcome in outcomes):.2%}; a run "
        f"{np.median([outcome.took_s for outcome in outcomes]):.1f} s in the median; clocks left open by ± "
        f"{np.median(open_ms):.1f} ms in the median, ± {max(open_ms):.1f} at most; {min(readings)} to {max(readings)} "
        f"readings; answers within {min(answers_ms):.1f} to {max(answers_ms):.1f} ms; link {min(links):.0f} to "
        f"{max(links):.0f} MB/s"
    )


if __name__ == "__main__":
    options.run(main)
