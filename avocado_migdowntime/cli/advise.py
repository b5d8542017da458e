# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime advise`: the downtime-limit with which a recorded migration finishes."""

import argparse

from . import BAD_INPUT, UNTOLD
from .output import refuse, show, show_json
from .progress import lasting, may_be_quiet, teller

NAME = "advise"
SUMMARY = "find the downtime-limit that ends a migration"
STATUSES = {
    0: "a limit was found",
    1: "no limit ends it",
    UNTOLD: "cannot tell",
    BAD_INPUT: "bad input",
}
EXAMPLES = ("avocado migdowntime advise recording.jsonl.gz",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a recording, or a text about a migration (`list texts`); - is standard input",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the advice; name an unusable file on standard error."""
    from ..errors import UsageError
    from ..forms.file import read
    from ..prediction.advice import Finding
    from ..prediction.advise import advise
    from ..report.advice import fields, summary
    from ..report.terminal import fitted

    try:
        with lasting(teller(NAME, arguments), f"reading {arguments.file}"):
            trace = read(arguments.file)
            try:
                advice = advise(trace)
            except UsageError as error:
                raise UsageError(f"{arguments.file}: {error}") from None
    except UsageError as error:
        return refuse(NAME, error)
    if arguments.json:
        show_json({"file": arguments.file, **fields(advice)})
    else:
        show(fitted(summary(advice)))
    return {Finding.FOUND: 0, Finding.NONE: 1, Finding.UNKNOWN: UNTOLD}[advice.finding]
