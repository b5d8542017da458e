# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime advise`: the downtime-limit with which a recorded migration finishes."""

import argparse
import json
import sys

from . import BAD_INPUT
from .progress import lasting, may_be_quiet, teller

NAME = "advise"
HELP = "choose the downtime-limit with which a migration finishes, from its recording"


def configure(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of this command."""
    parser.epilog = (
        "Exit status: 0 a limit was found, 1 no limit will do, 125 cannot tell, 2 bad input. "
        "Example: avocado migdowntime advise trace.jsonl.gz"
    )
    parser.add_argument(
        "file",
        metavar="TRACE",
        help="trace (JSONL, plain or gzip) or `info migrate` text; - is standard input",
    )
    parser.add_argument("--json", action="store_true", help="print an object instead of text")
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the advice; a file that cannot be used is named on standard error."""
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
        print(f"migdowntime advise: {error}", file=sys.stderr)
        return BAD_INPUT
    if arguments.json:
        print(json.dumps({"file": arguments.file, **fields(advice)}, indent=2))
    else:
        print(fitted(summary(advice)))
    return {Finding.FOUND: 0, Finding.NONE: 1, Finding.UNKNOWN: 125}[advice.finding]
