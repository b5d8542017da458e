# SPDX-License-Identifier: GPL-2.0-or-later
"""Which migration `record` and `watch` follow."""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..record.new_trace import NewTrace, Show


def takes_source(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a migration to `parser`."""
    parser.add_argument(
        "source",
        metavar="SOCKET|HOST:PORT|URI|-",
        help="QMP socket of the migration's source, or the URI of its libvirt; - is standard input",
    )
    parser.add_argument("guest", metavar="GUEST", nargs="?", help="with a URI: the name of the guest")
    parser.add_argument(
        "--rate", type=_rate, default=50.0, metavar="HZ", help="samples a second; not for a pipe (default: %(default)g)"
    )
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for the migration to begin (default: %(default)g)",
    )
    parser.add_argument(
        "--downtime-limit",
        type=_limit,
        metavar="MS",
        help="the present downtime-limit, which a pipe does not show (see virsh migrate-getmaxdowntime)",
    )


def check_source(arguments: argparse.Namespace) -> None:
    """Raise UsageError if the arguments contradict each other."""
    from ..errors import UsageError

    if arguments.downtime_limit is not None and arguments.source != "-":
        raise UsageError("--downtime-limit is for a pipe only; QMP and libvirt show the limit themselves")
    if arguments.guest is not None and "://" not in arguments.source:
        raise UsageError(
            f"{arguments.source} is not a libvirt URI that could have a guest {arguments.guest}; give one such as "
            "qemu:///system"
        )
    if arguments.source == "-" and sys.stdin is None:
        raise UsageError("standard input is closed; pipe the output of `virsh domjobinfo GUEST` in a loop into it")


def follow(arguments: argparse.Namespace, new_trace: "NewTrace", say: Callable[[str], None], show: "Show") -> None:
    """Follow the migration into `new_trace` until it ends; `show` gets each sample, `say` what is being waited for."""
    from ..basics import event_loop
    from ..record import live, piped

    if arguments.source == "-":
        piped.record(0, new_trace, arguments.wait, arguments.downtime_limit, show, say)
    else:
        qemu = live.qemu_at(arguments.source, arguments.guest, say)
        event_loop.run(live.follow(qemu, new_trace, arguments.rate, arguments.wait, say, show))


def _rate(text: str) -> float:
    return _between(text, 1, 1000)


def _seconds(text: str) -> float:
    return _between(text, 0, 86400)


def _limit(text: str) -> int:
    from ..basics.qemu_constants import GREATEST_DOWNTIME_LIMIT_MS

    return round(_between(text, 0, GREATEST_DOWNTIME_LIMIT_MS))


def _between(text: str, low: float, high: float) -> float:
    from ..basics.units import parse_number

    try:
        value = parse_number(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:.0f} to {high:.0f}")
    return value
