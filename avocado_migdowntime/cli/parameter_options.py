# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameters of a test by -p NAME=VALUE, as Avocado spells it."""

import argparse


def configure(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Give `parser` the options --arch and -p, of which the latter is what `meaning` says."""
    parser.add_argument("--arch", help="architecture (default: that of the QEMU)")
    configure_pairs(parser, meaning)


def configure_pairs(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Give `parser` the option -p, which is what `meaning` says."""
    parser.add_argument("-p", dest="pairs", metavar="NAME=VALUE", action="append", default=[], help=meaning)


def chosen_parameters(arguments: argparse.Namespace, reserved: tuple[str, ...]) -> dict[str, str]:
    """The values of -p and --arch, by name; raises UsageError for what is no pair, and for what --qemu stands for."""
    from ..errors import UsageError

    pairs = {}
    for text in arguments.pairs:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"-p {text} is not a pair; expected NAME=VALUE, such as -p region=64M")
        if name in reserved:
            raise UsageError(f"-p {text}: name builds with --qemu")
        pairs[name] = value
    return {**pairs, "arch": arguments.arch} if arguments.arch else pairs
