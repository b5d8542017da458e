# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime selftest`: do the tests find each known fault on this host?"""

import argparse

from . import BAD_INPUT, UNTOLD, parameter_options
from .output import refuse, show, show_json
from .progress import may_be_quiet, teller

NAME = "selftest"
SUMMARY = "check that the tests find each known fault of a QEMU on this host"
STATUSES = {
    0: "all were found",
    1: "some were not",
    BAD_INPUT: "bad input",
    UNTOLD: "this host lacks something",
}
EXAMPLES = (
    "avocado migdowntime selftest dirty-rate limit-ignored",
    "avocado migdowntime selftest mbps-halved -p link=tcp -p tls=psk",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    from ..parameters.table import ARCHITECTURES

    parser.add_argument(
        "faults", metavar="FAULT", nargs="*", help="such as factor=1.1 (default: all; see faulty --list)"
    )
    parser.add_argument("--qemu", metavar="PATH", help=parameter_options.QEMU)
    parser.add_argument(
        "--arch",
        choices=ARCHITECTURES,
        help="architecture (default: that of the QEMU)",
    )
    parameter_options.configure_pairs(
        parser, "a parameter of the runs; faults of limits and throttle steps set those that they need"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each fault after its run; progress goes to standard error."""
    from ..errors import HostRequirementError, UsageError
    from ..experiments.selftest import FAULTS, run_fault
    from ..faults.catalogue import named_fault
    from ..host.one_at_a_time import alone_on_host
    from ..parameters.table import Parameters, parse
    from ..qemu.probe import find_binary
    from ..report.selftest import fields, line, summary
    from ..report.terminal import fitted

    runs = []
    try:
        faults = tuple(map(named_fault, arguments.faults)) or FAULTS
        chosen_parameters = parameter_options.chosen_parameters(arguments, ("qemu", "qemu_destination"))
        parameters = parse(chosen_parameters)
        if parameters.other_hosts:
            raise UsageError(
                f"selftest tests QEMUs on this host only, but {parameters.other_hosts[0]} names another; leave it out"
            )
        binary = find_binary(arguments.qemu, parameters.arch)
        for number, fault in enumerate(faults, 1):
            say = teller(f"{NAME}: {number} of {len(faults)}, {fault}", arguments)
            with alone_on_host(say, Parameters().time_limit):
                say(fault.kind.sentence)
                runs.append(run_fault(fault, binary, chosen_parameters, lambda _: None))
            if not arguments.json:
                show(fitted(line(runs[-1])))
    except (UsageError, HostRequirementError) as error:
        return refuse(NAME, error)
    if arguments.json:
        show_json(fields(runs))
    else:
        show(summary(runs))
    return 0 if all(run.found for run in runs) else 1
