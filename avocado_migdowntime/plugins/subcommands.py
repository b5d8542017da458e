# SPDX-License-Identifier: GPL-2.0-or-later
"""The sub-commands of `avocado migdowntime`, also of `python -m avocado_migdowntime`."""

import argparse
from importlib import import_module

from ..cli import COMMANDS


def add_to(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the sub-commands."""
    # Named: inside Avocado it would be Avocado's own class, which ends with 4 where bad usage is to end with 2.
    found = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=argparse.ArgumentParser)
    for name in COMMANDS:
        module = import_module(f"..cli.{name}", __package__)
        command = found.add_parser(module.NAME, help=module.HELP, description=module.HELP, allow_abbrev=False)
        command.set_defaults(migdowntime_run=module.run)
        module.configure(command)


def run(arguments: argparse.Namespace) -> int:
    """Run the sub-command that was asked for; returns its exit status."""
    status: int = arguments.migdowntime_run(arguments)
    return status
