# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime record`: record the migration of any running QEMU."""

import argparse

from . import BAD_INPUT, UNTOLD
from .output import refuse, tell
from .progress import may_be_quiet, teller
from .source import check_source, follow, takes_source

NAME = "record"
SUMMARY = "record a running migration, through QMP, libvirt or a pipe"
NOTES = """\
It only queries QEMU and changes nothing. A QMP socket serves one client at a time: nobody else can use it meanwhile. A
recording ends with the migration or with Ctrl-C; what was recorded is kept. If QEMU stops answering, it says so and
waits. A pipe may carry the JSON of query-migrate or the text of domjobinfo, plain or with --rawstats. With a libvirt
URI it uses QEMU's monitor, which libvirt notes as a taint (custom-monitor); where that is not allowed, it uses
libvirt's job statistics. A URI needs libvirt's Python binding: pip install libvirt-python."""

COMPLETED, OTHERWISE = 0, 1
STATUSES = {
    COMPLETED: "recorded until the migration completed, or until Ctrl-C",
    OTHERWISE: "the migration failed or was cancelled, or its end was not seen",
    BAD_INPUT: (
        "bad input: no such socket, libvirt or guest, no QMP, no migration within --wait, an output file that exists"
    ),
    UNTOLD: "nothing was recorded: this host lacks something, or QEMU failed",
}
EXAMPLES = (
    "avocado migdowntime record /run/qemu/qmp.sock --output recording.jsonl",
    "avocado migdowntime record qemu:///system GUEST --output recording.jsonl",
    """while virsh qemu-monitor-command GUEST '{"execute":"query-migrate"}'; do sleep .02; done |
      avocado migdowntime record - --downtime-limit 300 --output recording.jsonl""",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    takes_source(parser)
    parser.add_argument("--output", "-o", metavar="FILE", required=True, help="new file for the recording")
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Record, and print how it ended."""
    from ..errors import MigDowntimeError
    from ..record.new_trace import NewTrace
    from ..record.stage import Stage

    status, say = COMPLETED, teller(NAME, arguments)
    show = Stage(say).sample
    try:
        check_source(arguments)
        new_trace = NewTrace(arguments.output)
    except MigDowntimeError as error:
        return refuse(NAME, error)
    try:
        follow(arguments, new_trace, say, show)
        if new_trace.status != "completed":
            status = OTHERWISE
    except KeyboardInterrupt:
        say("interrupted")
    except MigDowntimeError as error:
        if not new_trace.samples:
            return refuse(NAME, error)
        tell(NAME, f"{error}; what was recorded is kept")
        status = OTHERWISE
    if not new_trace.samples:
        tell(NAME, "nothing was recorded: no running migration was seen")
        return BAD_INPUT
    ended = new_trace.status if new_trace.ended else f"was still {new_trace.status} then"
    if new_trace.is_gone:
        ended = "is over, as no job is shown any more; how it ended is not shown"
    samples = "1 sample" if new_trace.samples == 1 else f"{new_trace.samples} samples"
    say(f"{samples} in {new_trace.file}, the migration {ended}")
    if new_trace.is_followed:
        say("another migration follows, which is not on record; of a text in a file `advise` judges the last one")
    return status
