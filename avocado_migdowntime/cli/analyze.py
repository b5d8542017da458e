# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime analyze`: judge recorded migrations, or the text of `info migrate`."""

import argparse
import json
import sys
from collections.abc import Collection

from . import BAD_INPUT
from .progress import lasting, may_be_quiet, teller

NAME = "analyze"
HELP = "judge recorded migrations, or the text of HMP `info migrate`"

ACCURATE, INACCURATE, INCONCLUSIVE = 0, 1, 125


def configure(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of this command."""
    from ..oracle.formulas import FORMULAS

    parser.epilog = (
        "Exit status: 0 accurate, 1 inaccurate or downtime-limit violated, 125 inconclusive, 2 bad input. "
        "Example: avocado migdowntime analyze --json trace.jsonl.gz"
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="trace (JSONL, plain or gzip) or `info migrate` text; - is standard input",
    )
    parser.add_argument(
        "--formula",
        choices=tuple(FORMULAS),
        default="last-sync",
        help="contract that QEMU is held to (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of text")
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the verdicts; a file that cannot be used is named on standard error."""
    from ..errors import UsageError
    from ..forms.file import read
    from ..report.terminal import fitted
    from ..report.verdict_json import fields
    from ..report.verdict_text import summary
    from ..verdict.judge import judge

    verdicts = []
    statuses = []
    for name in arguments.files:
        try:
            with lasting(teller(NAME, arguments), f"judging {name}"):
                trace = read(name)
                try:
                    verdicts.append((name, judge(trace, arguments.formula)))
                except UsageError as error:
                    raise UsageError(f"{name}: {error}") from None
        except UsageError as error:
            print(f"migdowntime analyze: {error}", file=sys.stderr)
            statuses.append(BAD_INPUT)
    statuses += [_STATUS[verdict.passed] for _, verdict in verdicts]
    if arguments.json:
        print(json.dumps([{"file": name, **fields(verdict)} for name, verdict in verdicts], indent=2))
    elif verdicts:
        print("\n\n".join(f"{name}\n{fitted(summary(verdict))}" for name, verdict in verdicts))
    return _worst(statuses)


_STATUS = {True: ACCURATE, False: INACCURATE, None: INCONCLUSIVE}


def _worst(statuses: Collection[int]) -> int:
    return next(status for status in (BAD_INPUT, INACCURATE, INCONCLUSIVE, ACCURATE) if status in statuses)
