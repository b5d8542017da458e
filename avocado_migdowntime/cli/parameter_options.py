# SPDX-License-Identifier: GPL-2.0-or-later
"""The options of a run: the help of --qemu, --arch, and a test's parameters by -p NAME=VALUE, as Avocado spells it."""

import argparse

QEMU = "a QEMU binary, the directory of its build or installation, or a suite (default: qemu-system-ARCH on the PATH)"
"""The help of --qemu."""


def configure(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add the options --arch and -p to `parser`; `meaning` is the help of -p."""
    parser.add_argument("--arch", metavar="ARCH", help="architecture (default: that of the QEMU)")
    configure_pairs(parser, meaning)


def configure_pairs(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add the option -p to `parser`, with `meaning` as its help."""
    parser.add_argument("-p", dest="pairs", metavar="NAME=VALUE", action="append", default=[], help=meaning)


def chosen_parameters(arguments: argparse.Namespace, reserved: tuple[str, ...]) -> dict[str, str]:
    """The values of -p and --arch, by name. Raises UsageError if -p is not a pair, or names what --qemu replaces."""
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
