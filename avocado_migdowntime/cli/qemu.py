# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime qemu`: QEMUs of Debian suites, next to the host's own."""

import argparse

from . import BAD_INPUT, UNTOLD
from .output import refuse, show, show_json
from .progress import may_be_quiet, teller

NAME = "qemu"
SUMMARY = "get the QEMU of another Debian release"
NOTES = "Interrupting `add` changes nothing."

_DEFAULT = ("ppc64", "x86_64")
STATUSES = {
    0: "done",
    BAD_INPUT: "bad input",
    UNTOLD: "this host lacks something",
}
EXAMPLES = ("avocado migdowntime qemu add bookworm",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    from ..parameters.table import ARCHITECTURES

    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="download and unpack a QEMU, unless it is there already", allow_abbrev=False)
    add.add_argument("suite", metavar="SUITE", help="such as bullseye, bookworm, trixie or trixie-backports")
    add.add_argument(
        "--arch",
        action="append",
        choices=ARCHITECTURES,
        help=f"architecture of the guests; can be repeated (default: {' and '.join(_DEFAULT)})",
    )
    may_be_quiet(add)
    remove = actions.add_parser("remove", help="delete an unpacked QEMU", allow_abbrev=False)
    remove.add_argument("suite", metavar="SUITE", help="the suite to delete")
    show = actions.add_parser("list", help="list the unpacked QEMUs", allow_abbrev=False)
    for action, act in ((add, _add), (remove, _remove), (show, _list)):
        action.add_argument("--json", action="store_true", help="print JSON instead of text")
        action.set_defaults(migdowntime_qemu_act=act)


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen action; report an obstacle on standard error."""
    from ..errors import MigDowntimeError

    try:
        arguments.migdowntime_qemu_act(arguments)
    except MigDowntimeError as error:
        return refuse(NAME, error)
    return 0


def _add(arguments: argparse.Namespace) -> None:
    from ..basics import event_loop
    from ..builds.add import add
    from ..host.resources import HostResources
    from ..report.builds import fields, summary
    from ..report.terminal import terminal_columns

    with HostResources() as resources:
        say = teller(NAME, arguments)
        build = event_loop.run(add(arguments.suite, arguments.arch or _DEFAULT, resources, say))
    if arguments.json:
        show_json(fields(build))
    else:
        show(summary([build], terminal_columns()))


def _remove(arguments: argparse.Namespace) -> None:
    from ..builds.suite_qemu import place, remove
    from ..host.resources import HostResources

    with HostResources() as resources:
        remove(arguments.suite, resources)
    removed = {"removed": arguments.suite, "path": str(place(arguments.suite))}
    if arguments.json:
        show_json(removed)
    else:
        show(f"removed {removed['path']}")


def _list(arguments: argparse.Namespace) -> None:
    from ..builds.suite_qemu import suite_qemus
    from ..report.builds import fields, summary
    from ..report.terminal import terminal_columns

    builds = suite_qemus()
    if arguments.json:
        show_json([fields(build) for build in builds])
    elif builds:
        show(summary(builds, terminal_columns()))
    else:
        show("no QEMU was unpacked yet; get one with: avocado migdowntime qemu add bookworm")
