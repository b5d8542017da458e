# SPDX-License-Identifier: GPL-2.0-or-later
"""Telling a person who waits how far a command is."""

import argparse
import sys
from collections.abc import Callable


def may_be_quiet(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the option --quiet."""
    parser.add_argument("--quiet", action="store_true", help="no word of progress on standard error")


def teller(command: str, arguments: argparse.Namespace) -> Callable[[str], None]:
    """Writes lines of `command` to standard error, or nothing where --quiet was given."""

    def say(text: str) -> None:
        if not arguments.quiet:
            print(f"migdowntime {command}: {text}", file=sys.stderr, flush=True)

    return say
