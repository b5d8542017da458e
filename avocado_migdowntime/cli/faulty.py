# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime faulty`: a QEMU with a known fault, to check whether a test finds it."""

import argparse

from . import BAD_INPUT, UNTOLD, parameter_options
from .output import refuse, show

NAME = "faulty"
SUMMARY = "create a QEMU with a known fault"
NOTES = (
    "Run the written file instead of QEMU, with QMP on a UNIX socket. It starts the real QEMU, whose path must not "
    "change."
)
STATUSES = {
    0: "written",
    BAD_INPUT: "bad input",
    UNTOLD: "this host lacks something",
}
EXAMPLES = ("avocado migdowntime faulty factor=0.5 --output /tmp/faulty-qemu",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    from ..parameters.table import ANY_ARCHITECTURE, ARCHITECTURES

    parser.add_argument(
        "fault", metavar="FAULT", nargs="?", help="name of a fault (see --list), some with a value: factor=1.1"
    )
    parser.add_argument("--list", action="store_true", help="list the faults")
    parser.add_argument("--output", "-o", metavar="FILE", help="where to write the executable")
    parser.add_argument("--qemu", metavar="PATH", help=parameter_options.QEMU)
    parser.add_argument(
        "--arch",
        choices=ARCHITECTURES,
        default=ANY_ARCHITECTURE,
        help="architecture (default: that of the QEMU)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the executable, or print the list."""
    from pathlib import Path

    from ..basics.printable import in_a_line
    from ..errors import HostRequirementError, UsageError
    from ..faults.catalogue import KINDS, named_fault
    from ..faulty.launcher import write
    from ..qemu.probe import find_binary
    from ..report.terminal import fitted

    if arguments.list:
        for name, kind in KINDS.items():
            show(fitted(f"{f'{name}={kind.takes}' if kind.takes else name:<20}  {kind.sentence}"))
        return 0
    try:
        if arguments.fault is None or arguments.output is None:
            raise UsageError("give a FAULT and --output FILE, or --list")
        fault, binary = named_fault(arguments.fault), find_binary(arguments.qemu, arguments.arch)
        write(Path(arguments.output), fault, binary)
    except (UsageError, HostRequirementError) as error:
        return refuse(NAME, error)
    show(in_a_line(f"{arguments.output} is {binary} with the fault {fault}: {fault.kind.sentence}"))
    return 0
