# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a run takes, and its parts: `python -m bench.time_of_a_run`.

`avocado run` of the test is compared with `avocado run /bin/true` and, if the environment variables
QTEST_MIGRATION_TEST and QTEST_QEMU_BINARY are set, with QEMU's own migration test. They alternate, and each is timed
from the command to its end; every other round is in reverse order.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

from avocado_migdowntime.experiments.expected_downtime import expected_downtime
from avocado_migdowntime.experiments.run import TRACE
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.host.one_at_a_time import alone_on_host
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.events import BANDWIDTH, FINISH, HARNESS, HEARTBEAT, INTEGRITY
from avocado_migdowntime.trace.model import Trace
from bench import options

GUESTS: Mapping[str, Mapping[str, str]] = {
    "ppc64, TCG": {"arch": "ppc64", "accel": "tcg"},
    "x86_64, TCG": {"arch": "x86_64", "accel": "tcg"},
}
TRUE = "avocado run /bin/true"
QEMU_S_OWN = "QEMU's migration-test, /x86_64/migration/precopy/unix/plain"
FORM = "{:8.2f}"


def main() -> None:
    """Print the tables."""
    parser = options.parser("bench.time_of_a_run", __doc__)
    parser.add_argument("--runs", type=options.count, default=10, help="runs of each (default: %(default)s)")
    race(parser.parse_args().runs)


def race(runs: int) -> None:
    """Print how long each takes, and how much more than `avocado run /bin/true` in the same round."""
    runners: dict[str, Callable[[], tuple[float, float]]] = {TRUE: lambda: avocado("/bin/true")}
    for name, parameters in GUESTS.items():
        runners[name] = partial(avocado, "migdowntime:expected-downtime", parameters)
    own_test = os.environ.get("QTEST_MIGRATION_TEST")
    if own_test and "QTEST_QEMU_BINARY" in os.environ:
        runners[QEMU_S_OWN] = lambda: plain([own_test, "-p", "/x86_64/migration/precopy/unix/plain"])
    rounds: list[dict[str, tuple[float, float]]] = []
    for number in range(runs):
        order = list(runners) if number % 2 else list(reversed(runners))
        rounds.append({name: runners[name]() for name in order})
    print(f"{'from the command to its end, s':<62} {'min':>8} {'median':>8} {'max':>8}")
    for name in runners:
        row(name, [one[name][0] for one in rounds])
    for name in GUESTS:
        row(f"{name}: the test itself, as Avocado prints it", [one[name][1] for one in rounds])
        row(f"{name}: more than /bin/true and the test itself", [one[name][0] - sum(_of(one, name)) for one in rounds])
    print("\nwhat the test itself is made of, s")
    for name, parameters in GUESTS.items():
        made_of = [parts(parameters) for _ in range(runs)]
        for part in made_of[0]:
            row(f"{name}: {part}", [one[part] for one in made_of])


def _of(one: Mapping[str, tuple[float, float]], name: str) -> tuple[float, float]:
    return one[TRUE][0], one[name][1]


def row(name: str, figures: list[float]) -> None:
    """Print one line of a table: the least, the median and the greatest."""
    print(f"{name:<62}", *(FORM.format(figure) for figure in (min(figures), median(figures), max(figures))), flush=True)


def avocado(reference: str, parameters: Mapping[str, str] | None = None) -> tuple[float, float]:
    """Seconds that `avocado run` takes, and those that it prints for the test."""
    options = [word for name, value in (parameters or {}).items() for word in (f"--migdowntime-{name}", value)]
    with tempfile.TemporaryDirectory() as results:
        command = [sys.executable, "-m", "avocado", "run", "--job-results-dir", results, *options, reference]
        whole_s, _ = plain(command)
        (test,) = json.loads(Path(results, "latest", "results.json").read_text())["tests"]
        if test["status"] != "PASS":
            raise SystemExit(f"{' '.join(command)}: {test['status']}: {test['fail_reason']}")
        return whole_s, test["time_elapsed"]


def plain(command: list[str]) -> tuple[float, float]:
    """Seconds that a command takes; 0 for the part of a test."""
    begun_s = time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun_s, 0.0


def parts(parameters: Mapping[str, str]) -> dict[str, float]:
    """Seconds of each part of the experiment, run in this process."""
    said: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as directory, alone_on_host(lambda _: None):
        begun_s = time.monotonic()

        def progress(text: str) -> None:
            said.setdefault(text.partition(":")[0].partition(" ")[0], time.monotonic() - begun_s)

        asyncio.run(expected_downtime(parse(parameters), Path(directory), progress))
        whole_s = time.monotonic() - begun_s
        trace = read(str(Path(directory, TRACE)))
    # The first sample is reported when it is taken, at the trace's zero.
    before = [("set-up until QEMU was asked", said["QEMU"]), ("launch until QMP answers", said["waiting"])]
    moments = [*before, ("the guest runs and dirties its region", said["pass"]), *_moments(trace, said["pass"])]
    times = [0.0, *(moment for _, moment in moments), whole_s]
    names = [*(name for name, _ in moments), "ending, and the verdict"]
    return {name: end - begin for name, (begin, end) in zip(names, pairwise(times), strict=True)}


def _moments(trace: Trace, zero_s: float) -> list[tuple[str, float]]:
    """The ends of the parts that are in the trace."""
    passes = [e for e in trace.events if e.side == "source" and e.name == "MIGRATION_PASS"]
    last = trace.first_event(HARNESS, BANDWIDTH)
    begun = [e.t_s for e in passes if e.data["pass"] > 1 and (last is None or e.t_s < last.t_s)]
    found = [(f"pass {number}", t_s) for number, t_s in enumerate(begun, 1)]
    for name, event in (
        ("the last pass until it can be judged", last),
        ("slowed", trace.first_event(HARNESS, FINISH)),
        ("completion", trace.first_event("source", "MIGRATION", status="completed")),
        ("the check of the memory", trace.first_event(HARNESS, INTEGRITY)),
        ("until the guest's heart beats", trace.first_event(HARNESS, HEARTBEAT)),
    ):
        if event is not None:
            found.append((name, event.t_s))
    return [(name, zero_s + t_s) for name, t_s in found]


if __name__ == "__main__":
    options.run(main)
