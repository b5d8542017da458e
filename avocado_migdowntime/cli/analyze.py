# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime analyze`: judge recordings, and texts about migrations."""

import argparse
from collections.abc import Collection

from . import BAD_INPUT, UNTOLD
from .output import refuse, show, show_json
from .progress import lasting, may_be_quiet, teller

NAME = "analyze"
SUMMARY = "judge recordings and pasted text"

ACCURATE, INACCURATE = 0, 1
STATUSES = {
    ACCURATE: "accurate",
    INACCURATE: "inaccurate, or downtime-limit violated",
    UNTOLD: "inconclusive",
    BAD_INPUT: "bad input",
}
EXAMPLES = (
    "avocado migdowntime analyze recording.jsonl",
    "avocado migdowntime analyze --json recording.jsonl.gz",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    from ..oracle.formulas import FORMULAS
    from ..parameters.table import Parameters

    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a recording, or a text about a migration (`list texts`); - is standard input",
    )
    parser.add_argument(
        "--formula",
        choices=tuple(FORMULAS),
        default="last-sync",
        help="formula that QEMU should use (default: %(default)s)",
    )
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        default=Parameters().tolerance,
        metavar="RELATIVE",
        help="largest relative error that counts as accurate (default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    may_be_quiet(parser)


def _tolerance(text: str) -> float:
    from ..errors import UsageError
    from ..parameters.table import parse

    try:
        return parse({"tolerance": text}).tolerance
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error).partition(": ")[2]) from None


def run(arguments: argparse.Namespace) -> int:
    """Print the verdicts; name an unusable file on standard error."""
    from ..basics.printable import in_a_line
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
                    verdicts.append((name, judge(trace, arguments.formula, arguments.tolerance)))
                except UsageError as error:
                    raise UsageError(f"{name}: {error}") from None
        except UsageError as error:
            statuses.append(refuse(NAME, error))
    statuses += [_STATUS[verdict.passed] for _, verdict in verdicts]
    if arguments.json:
        show_json([{"file": name, **fields(verdict)} for name, verdict in verdicts])
    elif verdicts:
        show("\n\n".join(f"{in_a_line(name)}\n{fitted(summary(verdict))}" for name, verdict in verdicts))
    return _worst(statuses)


_STATUS = {True: ACCURATE, False: INACCURATE, None: UNTOLD}


def _worst(statuses: Collection[int]) -> int:
    return next(status for status in (BAD_INPUT, INACCURATE, UNTOLD, ACCURATE) if status in statuses)
