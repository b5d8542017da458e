# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime list`: tests, variants, workloads, formulas, texts, parameters and JSON fields."""

import argparse

from . import BAD_INPUT
from .output import show, show_json

NAME = "list"
SUMMARY = "list tests, variants, parameters, fields and codes"
STATUSES = {
    0: "listed",
    BAD_INPUT: "bad input",
}
EXAMPLES = ("avocado migdowntime list variants parameters",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    from ..report.listing import LISTS

    parser.add_argument(
        "kinds",
        nargs="*",
        choices=(*LISTS, "all"),
        default="all",
        metavar="KIND",
        help=f"{', '.join(LISTS)} or all (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Print the entries of each kind."""
    from ..report.listing import LISTS, fields, summary
    from ..report.terminal import fitted

    wanted = LISTS if "all" in arguments.kinds else dict.fromkeys(arguments.kinds)
    kinds = {kind: LISTS[kind]() for kind in wanted}
    if arguments.json:
        show_json(fields(kinds))
    else:
        show(fitted(summary(kinds)))
    return 0
