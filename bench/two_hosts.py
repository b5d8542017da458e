# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrations between hosts (network namespaces, over a real sshd): verdicts, clocks, link, time of a run.

python -m bench.two_hosts --runs 10
python -m bench.two_hosts --runs 10 --sides between
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.trace.events import CLOCK, HARNESS
from selftests.support.ssh_hosts import OTHER, THIRD, other_hosts

SIDES = {
    "to": [f"destination_host={OTHER}"],
    "from": [f"source_host={OTHER}"],
    "between": [f"source_host={OTHER}", f"destination_host={THIRD}"],
}
"""Which of them are on another host than the one that judges."""


def main() -> None:
    """Print a line for each run, and how many were accurate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sides", choices=SIDES, default="to")
    parser.add_argument("given", nargs="*", help="parameters, such as arch=x86_64")
    arguments = parser.parse_args()
    given = [word for parameter in (*SIDES[arguments.sides], *arguments.given) for word in ("-p", parameter)]
    accurate = 0
    with other_hosts(2) as hosts, tempfile.TemporaryDirectory(prefix="two-hosts-", dir="/var/tmp") as directory:
        for number in range(arguments.runs):
            output, begun_s = Path(directory, str(number)), time.monotonic()
            status, out = hosts.run("judge", *given, "--output", str(output))
            took_s = time.monotonic() - begun_s
            if not (output / "verdict.json").exists():
                print(f"{number}: status {status}, {out.splitlines()[-1]}", flush=True)
                continue
            verdict, trace = json.loads((output / "verdict.json").read_text()), read(str(output / "trace.jsonl"))
            ahead = [
                f"{event.data['ahead_s'][0] * 1000:+.2f} to {event.data['ahead_s'][1] * 1000:+.2f} ms of the "
                f"{event.data['side']} ({event.data['readings']} readings)"
                for event in trace.events
                if (event.side, event.name) == (HARNESS, CLOCK)
            ]
            latency_ms = 1000 * float(np.median(trace.samples.answered_s - trace.samples.t_s))
            down = verdict["downtime"]
            accurate += status == 0
            print(
                f"{number}: {verdict['verdict']} {verdict['relative_error']:+.2%} in {took_s:.1f} s; clock ahead by "
                f"{', '.join(ahead)}; answers within {latency_ms:.2f} ms; link "
                f"{trace.header['link_bytes_per_s'] / 1e6:.0f} MB/s; down: QEMU {down['qemu_ms']:.0f} ms, events "
                f"{down['events_ms']:.0f} ± {down['events_open_ms']:.1f} ms, guest {down['guest_ms']}; left there: "
                f"{hosts.left_there()}",
                flush=True,
            )
    print(f"{accurate} of {arguments.runs} accurate")


if __name__ == "__main__":
    main()
