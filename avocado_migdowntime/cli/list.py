# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime list`: tests, variants, workloads, formulas, parameters and JSON fields."""

import argparse

from .output import show, show_json

NAME = "list"
HELP = "list tests, variants, workloads, formulas, parameters and JSON fields"


def configure(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of this command."""
    from ..report.listing import KINDS

    parser.epilog = "Exit status: 0 listed, 2 bad input. Example: avocado migdowntime list variants parameters"
    parser.add_argument(
        "kinds",
        nargs="*",
        choices=(*KINDS, "all"),
        default="all",
        metavar="KIND",
        help=f"{', '.join(KINDS)} or all (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print an object of lists instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Print what there is of each kind."""
    from ..report.listing import KINDS, fields, summary
    from ..report.terminal import fitted

    wanted = KINDS if "all" in arguments.kinds else dict.fromkeys(arguments.kinds)
    kinds = {kind: KINDS[kind]() for kind in wanted}
    if arguments.json:
        show_json(fields(kinds))
    else:
        show(fitted(summary(kinds)))
    return 0
