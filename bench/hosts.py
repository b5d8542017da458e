# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure a matrix on several hosts, which are sets of namespaces on this one: `python -m bench.hosts`, as root.

Recordings are replayed instead of migrations: a test waits as long as a migration takes, and leaves the same files.
"""

import random
import tempfile
import time
from pathlib import Path

from bench import options
from selftests.support.many_hosts import Lab, give_replayed, lab, replayed


def main() -> None:
    """Print a line for each figure."""
    parser = options.parser("bench.hosts", __doc__)
    parser.add_argument("--variants", type=options.count, default=24, help="tests of a matrix (default: %(default)s)")
    parser.add_argument("--seconds", type=options.count, default=4, help="what a test waits for (default: %(default)s)")
    parser.add_argument("--hosts", type=options.count, nargs="*", default=[1, 3], help="how many hosts (default: 1 3)")
    parser.add_argument(
        "--kills", type=options.whole, default=0, help="matrices of 12 during which a host of three is killed"
    )
    parser.add_argument("--seed", type=options.whole, default=1, help="by which the moments of that are chosen")
    chosen = parser.parse_args()
    waits = ("--migdowntime-time-limit", str(100 * chosen.seconds))
    for hosts in chosen.hosts:
        with tempfile.TemporaryDirectory() as directory, lab(hosts) as made:
            give_replayed(made, Path(directory))
            begun_s = time.monotonic()
            _run(made, chosen.variants, waits)
            took_s = time.monotonic() - begun_s
            each_s = took_s * hosts / chosen.variants
            tests = f"{chosen.variants} tests of {chosen.seconds} s"
            print(f"{tests} on {hosts}: {took_s:.1f} s, {each_s:.2f} s of a host each", flush=True)
    moments = random.Random(chosen.seed)
    for number in range(chosen.kills):
        with tempfile.TemporaryDirectory() as directory, lab(3) as made:
            give_replayed(made, Path(directory))
            _killed(made, moments, number, waits)


def _run(made: Lab, variants: int, waits: tuple[str, str]) -> None:
    status, out = made.run([made.slot(name) for name in made.names], *replayed(made, variants), *waits)
    assert status == 0 and [test["status"] for test in made.tests()] == ["PASS"] * variants, out


def _killed(made: Lab, moments: random.Random, number: int, waits: tuple[str, str]) -> None:
    killed, at_s = moments.choice(made.names), moments.uniform(0, 20)
    with made.start([made.slot(name) for name in made.names], *replayed(made, 12), *waits) as process:
        time.sleep(at_s)
        made.kill(killed)
        out, _ = process.communicate()
    tests = made.tests()
    traces = sum(Path(test["logdir"], "data", "trace.jsonl").is_file() for test in tests)
    passed = sum(test["status"] == "PASS" for test in tests)
    left = made.left(*(name for name in made.names if name != killed))
    print(
        f"{number + 1}: a host killed after {at_s:.1f} s: {passed} of 12 passed, {traces} traces, left {left}",
        flush=True,
    )
    if (passed, traces, left, len(tests)) != (12, 12, [], 12):
        print(out)


if __name__ == "__main__":
    options.run(main)
