# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime watch`: a running migration, live."""

import argparse
import contextlib
import sys
import time
from typing import TYPE_CHECKING

from . import BAD_INPUT, UNTOLD
from .output import refuse, show, show_json, tell
from .progress import may_be_quiet, teller
from .source import check_source, follow, takes_source

if TYPE_CHECKING:
    from ..report.metrics import Metrics
    from ..report.screen import Display
    from ..trace.sample import Sample
    from ..watching.now import Now
    from ..watching.watcher import Watcher

NAME = "watch"
SUMMARY = "watch a running migration: what is left, the expected downtime, and whether it will finish"
NOTES = """\
It only queries QEMU and changes nothing. A QMP socket serves one client at a time: nobody else can use it meanwhile.
Without a terminal it prints a line a second. With --once the exit status is that of advise: 0 a limit was found, 1 no
limit ends it, 125 cannot tell, 2 bad input."""

COMPLETED, OTHERWISE = 0, 1
_EVERY_S, _AFTER_A_SYNC_S = 1.0, 0.3
"""How often the screen changes, and how soon after a sync QEMU has updated its figures, in seconds."""
STATUSES = {
    COMPLETED: "watched until the migration completed, or until Ctrl-C",
    OTHERWISE: "the migration failed or was cancelled, or its end was not seen",
    BAD_INPUT: "bad input: no such socket, libvirt or guest, no QMP, no migration within --wait",
    UNTOLD: "nothing was seen: this host lacks something, or QEMU failed",
}
EXAMPLES = (
    "avocado migdowntime watch /run/qemu/qmp.sock",
    "avocado migdowntime watch qemu:///system GUEST --metrics /var/lib/node_exporter/migration.prom",
    "kubectl logs -f POD | avocado migdowntime watch -",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    takes_source(parser)
    parser.add_argument("--output", "-o", metavar="FILE", help="record the migration as well, in a new file")
    parser.add_argument(
        "--once",
        action="store_true",
        help="take one sample (from a pipe: read to its end), print the whole result, exit with the status of advise",
    )
    parser.add_argument("--json", action="store_true", help="with --once: print JSON instead of text")
    parser.add_argument(
        "--metrics",
        metavar="FILE|PORT",
        help="give the figures in OpenMetrics format as well, in a file or on a loopback port",
    )
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Watch, and print the final state."""
    from ..errors import MigDowntimeError, UsageError
    from ..record.watched import WatchedTrace
    from ..report.metrics import Metrics
    from ..report.screen import display
    from ..watching.watcher import Watcher

    say = teller(NAME, arguments)
    watcher = Watcher()
    try:
        if arguments.json and not arguments.once:
            raise UsageError("--json prints one sample; add --once, or use --metrics")
        check_source(arguments)
        if arguments.once and arguments.source != "-":
            return _look(arguments)
        trace = WatchedTrace(arguments.output, watcher)
        metrics = Metrics(arguments.metrics, _named(arguments)) if arguments.metrics else None
    except MigDowntimeError as error:
        return refuse(NAME, error)
    failure: MigDowntimeError | None = None
    interrupted = False
    with contextlib.ExitStack() as stack:
        if metrics is not None:
            stack.callback(metrics.end)
        screen = None if arguments.once else stack.enter_context(display(say))
        looks = _Looks(watcher, screen, metrics)
        try:
            follow(arguments, trace, say if screen is None else screen.say, looks.sample)
            looks.show()
        except KeyboardInterrupt:
            interrupted = True
        except MigDowntimeError as error:
            failure = error
    failed = refuse(NAME, failure) if failure else 0
    if not trace.samples:
        if not failed:
            tell(NAME, "no running migration was seen")
        return failed or BAD_INPUT
    advised = _print(watcher, arguments) if arguments.once or sys.stdout.isatty() else 0
    if arguments.once:
        return failed or advised
    return COMPLETED if trace.status == "completed" or interrupted else OTHERWISE


class _Looks:
    """Shows the state once a second, and soon after a sync."""

    def __init__(self, watcher: "Watcher", screen: "Display | None", metrics: "Metrics | None") -> None:
        self._watcher, self._screen, self._metrics = watcher, screen, metrics
        self._due_s = 0.0

    def sample(self, sample: "Sample") -> None:
        """Take a sample, and show the state if it is due."""
        turned, now_s = self._watcher.sample(sample), time.monotonic()
        if turned and self._due_s:
            self._due_s = min(self._due_s, now_s + _AFTER_A_SYNC_S)
        if now_s >= self._due_s:
            self._due_s = now_s + _EVERY_S
            self.show()

    def show(self) -> None:
        """Show the state, if there is one."""
        if self._screen is None and self._metrics is None:
            return
        now = self._watcher.now()
        if now is not None and self._screen is not None:
            self._screen.show(now)
        if now is not None and self._metrics is not None:
            self._metrics.show(now)


def _look(arguments: argparse.Namespace) -> int:
    """Take one sample, and print the state."""
    from ..basics import event_loop
    from ..record import live
    from ..report.metrics import Metrics
    from ..watching.now import now

    qemu = live.qemu_at(arguments.source, arguments.guest, teller(NAME, arguments))
    current = now(event_loop.run(live.look(qemu)))
    _tell(current, arguments)
    if arguments.metrics:
        metrics = Metrics(arguments.metrics, _named(arguments))
        metrics.show(current)
        metrics.end()
    return _of_advice(current.advice.finding)


def _tell(current: "Now", arguments: argparse.Namespace) -> None:
    from ..report.now_json import fields
    from ..report.screen import summary
    from ..report.terminal import fitted

    if arguments.json:
        show_json({"source": _named(arguments), **fields(current)})
    else:
        show(fitted(summary(current)))


def _print(watcher: "Watcher", arguments: argparse.Namespace) -> int:
    current = watcher.now()
    assert current is not None
    _tell(current, arguments)
    return _of_advice(current.advice.finding)


def _of_advice(finding: str) -> int:
    return {"found": 0, "none": 1, "unknown": UNTOLD}[finding]


def _named(arguments: argparse.Namespace) -> str:
    return f"{arguments.guest} at {arguments.source}" if arguments.guest else arguments.source
