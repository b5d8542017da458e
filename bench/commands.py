# SPDX-License-Identifier: GPL-2.0-or-later
"""Wall clock of commands that run no job, and how steadily `record` samples: `python -m bench.commands`."""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

from avocado_migdowntime.forms.file import read
from bench import options
from selftests.support.lone_qemu import Qemu

RECORDING = Path(__file__).parents[1] / "selftests/recordings/x86_64-kvm-qemu-7.2.jsonl.gz"
TIMED = (["doctor", "--quiet"], ["list"], ["analyze", str(RECORDING)], ["judge", "--quiet", "-p", "page_size=4K"])
RATES_HZ = (50, 200)
RECORDED_S = 10
PIPED = 20_000
AVOCADO = [sys.executable, "-m", "avocado", "migdowntime"]


def main() -> None:
    """Print the tables."""
    parser = options.parser("bench.commands", __doc__)
    parser.add_argument("--runs", type=options.count, default=10, help="runs of each (default: %(default)s)")
    chosen = parser.parse_args()
    print("| from the command to its end, s | min | median | max |\n| --- | --- | --- | --- |")
    for command in TIMED:
        took = [timed(command) for _ in range(chosen.runs)]
        print(f"| `{command[0]}` | {min(took):.2f} | {median(took):.2f} | {max(took):.2f} |", flush=True)
    print("\n| `record` over QMP, ms between samples | median | 99 % below | max |\n| --- | --- | --- | --- |")
    for rate_hz in RATES_HZ:
        apart_ms = sampled(rate_hz)
        below = quantiles(apart_ms, n=100)[98]
        print(f"| `--rate {rate_hz}` | {median(apart_ms):.1f} | {below:.1f} | {max(apart_ms):.1f} |", flush=True)
    print(f"\n`record -` takes {piped():.0f} answers a second")


def timed(command: list[str]) -> float:
    """Seconds that a command takes."""
    begun_s = time.monotonic()
    subprocess.run([*AVOCADO, *command], stdout=subprocess.DEVNULL, check=False)
    return time.monotonic() - begun_s


def sampled(rate_hz: int) -> list[float]:
    """Milliseconds between the samples of a migration."""
    with tempfile.TemporaryDirectory(prefix="mdt-", dir="/tmp") as directory:
        trace = Path(directory, "trace")
        with closing(Qemu(Path(directory))) as qemu:
            qemu.migrate_slowly()
            options = ["--rate", str(rate_hz), "--quiet", "-o", str(trace)]
            record = subprocess.Popen([*AVOCADO, "record", str(qemu.socket), *options])
            time.sleep(RECORDED_S)
            qemu.execute("migrate_cancel")
            record.wait()
        times_s = [sample.t_s for sample in read(str(trace)).samples if sample.on is None]
        return [1000 * (after - before) for before, after in pairwise(times_s)]


def piped() -> float:
    """Answers a second that `record -` writes, its start left out."""
    counted = ("remaining", "normal", "duplicate", "dirty-sync-count", "dirty-pages-rate", "mbps")
    answer = {"status": "active", "ram": {**dict.fromkeys(counted, 1), "page-size": 4096}}
    text = json.dumps({"return": answer}, indent=2) + "\n\n"
    with tempfile.TemporaryDirectory() as directory:
        trace = Path(directory, "trace")
        record = subprocess.Popen(
            [*AVOCADO, "record", "-", "--quiet", "-o", str(trace)], stdin=subprocess.PIPE, text=True
        )
        record.communicate(text * PIPED)
        return PIPED / read(str(trace)).samples[-1].t_s


if __name__ == "__main__":
    options.run(main)
