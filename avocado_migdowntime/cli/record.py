# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime record`: the migration of any running QEMU, as a trace to be judged."""

import argparse
import sys

from . import BAD_INPUT
from .output import tell
from .progress import may_be_quiet, teller

NAME = "record"
SUMMARY = "record a running migration, from QMP or a pipe"
NOTES = """\
It asks and changes nothing on the QEMU. A recording ends with the migration or with Ctrl-C; what was recorded is kept.
A QEMU that stops answering is waited for, with a line that says so. A pipe may carry the JSON of query-migrate or the
text of domjobinfo, plain or with --rawstats."""

COMPLETED, OTHERWISE = 0, 1
STATUSES = {
    COMPLETED: "recorded until the migration completed, or until Ctrl-C",
    OTHERWISE: "the migration failed or was cancelled, or its end was not seen",
    BAD_INPUT: "bad input: no such socket, no QMP, no migration within --wait, a file that is there already",
}
EXAMPLES = (
    "avocado migdowntime record /run/qemu/qmp.sock --output trace.jsonl",
    """while virsh qemu-monitor-command GUEST '{"execute":"query-migrate"}'; do sleep .02; done |
      avocado migdowntime record - --downtime-limit 300 --output trace.jsonl""",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of this command."""
    parser.add_argument(
        "source", metavar="SOCKET|HOST:PORT|-", help="QMP socket of the migration's source; - is standard input"
    )
    parser.add_argument("--output", "-o", metavar="FILE", required=True, help="where the trace goes, a new file")
    parser.add_argument(
        "--rate", type=_rate, default=50.0, metavar="HZ", help="samples a second over QMP (default: %(default)g)"
    )
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long until the migration begins (default: %(default)g)",
    )
    parser.add_argument(
        "--downtime-limit",
        type=_limit,
        metavar="MS",
        help="of a pipe, which does not tell it (virsh migrate-getmaxdowntime does)",
    )
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record, and say how it ended."""
    from ..basics import event_loop
    from ..errors import MigDowntimeError, UsageError
    from ..record import live, piped
    from ..record.new_trace import NewTrace
    from ..record.stage import Stage

    status, say = COMPLETED, teller(NAME, arguments)
    show = Stage(say).sample
    try:
        if arguments.downtime_limit is not None and arguments.source != "-":
            raise UsageError("--downtime-limit is for a pipe; over QMP it is asked for")
        new_trace = NewTrace(arguments.output)
    except MigDowntimeError as error:
        tell(NAME, str(error))
        return BAD_INPUT
    try:
        if arguments.source == "-":
            if sys.stdin is None:
                raise UsageError("standard input is closed")
            piped.record(0, new_trace, arguments.wait, arguments.downtime_limit, show)
        else:
            event_loop.run(live.record(arguments.source, new_trace, arguments.rate, arguments.wait, say, show))
        if new_trace.status != "completed":
            status = OTHERWISE
    except KeyboardInterrupt:
        say("interrupted")
    except MigDowntimeError as error:
        kept = "; what was recorded is kept" if new_trace.samples else ""
        tell(NAME, f"{error}{kept}")
        status = OTHERWISE if new_trace.samples else BAD_INPUT
    if not new_trace.samples:
        if status != BAD_INPUT:
            tell(NAME, "nothing was recorded: no running migration was seen")
        return BAD_INPUT
    ended = new_trace.status if new_trace.ended else f"cut off while {new_trace.status}"
    say(f"{new_trace.samples} samples in {new_trace.file}, the migration {ended}")
    return status


def _rate(text: str) -> float:
    return _between(text, 1, 1000)


def _seconds(text: str) -> float:
    return _between(text, 0, 86400)


def _limit(text: str) -> int:
    from ..basics.qemu_constants import GREATEST_DOWNTIME_LIMIT_MS

    return round(_between(text, 0, GREATEST_DOWNTIME_LIMIT_MS))


def _between(text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:.0f} to {high:.0f}")
    return value
