# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime judge`: judge one QEMU with one migration, without an Avocado job."""

import argparse
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from . import UNTOLD, parameter_options
from .bisection import BAD, GOOD, INTERRUPTED, UNUSABLE, never_bad
from .output import show, show_json, tell
from .progress import may_be_quiet, teller

if TYPE_CHECKING:
    from ..errors import MigDowntimeError
    from ..parameters.table import Parameters
    from ..verdict.verdict import Verdict

NAME = "judge"
SUMMARY = "judge one QEMU with one migration, without an Avocado job"
NOTES = "Use it to test one build, in `git bisect run`, or in a test runner that reads TAP."
STATUSES = {
    GOOD: "good: nothing was found wrong",
    BAD: "bad: something is wrong, or the run is inconclusive and -p inconclusive=fail was given",
    UNTOLD: "cannot tell: the run is inconclusive or this host lacks something (with --tap: skipped, status 0), or "
    "there is no QEMU that starts and migrates",
    UNUSABLE: "bad input, or the tool failed: `git bisect run` stops",
    INTERRUPTED: "interrupted: `git bisect run` stops",
}
EXAMPLES = ("avocado migdowntime judge --qemu build/qemu-system-x86_64 -p page_size=4K",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    parser.add_argument(
        "--qemu",
        metavar="PATH",
        help=parameter_options.QEMU,
    )
    parser.add_argument(
        "--test", default="expected-downtime", metavar="NAME", help="test to run (default: %(default)s)"
    )
    parameter_options.configure(parser, "a parameter of the test; overrides settings")
    parser.add_argument(
        "--output",
        "-o",
        metavar="DIRECTORY",
        help="a new directory for the recording, the verdict and what QEMU printed (default: a temporary one, which is "
        "kept and named unless all is well)",
    )
    parser.set_defaults(format="text")
    formats = parser.add_mutually_exclusive_group()
    for name, what in (("json", "an object"), ("tap", "TAP, for meson and other runners of tests,")):
        formats.add_argument(
            f"--{name}", dest="format", action="store_const", const=name, help=f"print {what} instead of text"
        )
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Migrate and print the verdict. Only a failing QEMU gets the status "bad"."""
    return never_bad(NAME, partial(_run, arguments))


def _run(arguments: argparse.Namespace) -> int:
    from ..basics import event_loop
    from ..basics.run_directory import RunDirectory
    from ..errors import HostRequirementError, MigDowntimeError
    from ..experiments.catalogue import named_experiment
    from ..host.one_at_a_time import alone_on_host
    from ..qemu.planning import check_among_themselves
    from ..qemu.probe import find_binary

    experiment, say = named_experiment(arguments.test), teller(NAME, arguments)
    parameters = _parameters(arguments, experiment.defaults)
    with RunDirectory(arguments.output) as directory:
        try:
            # What is wrong in any case is said before waiting for others.
            check_among_themselves(parameters)
            if not parameters.source_host:
                find_binary(parameters.qemu, parameters.arch)
            with alone_on_host(say, parameters.time_limit, on_others=bool(parameters.other_hosts)):
                verdict = event_loop.run(experiment.run(parameters, directory.path, say))
        except MigDowntimeError as error:
            if not isinstance(error, HostRequirementError):
                directory.keep()
            return _untold(error, directory.lasting_path, arguments.format, parameters.lacking == "fail")
        if not verdict.passed:
            directory.keep()
    strict = parameters.inconclusive == "fail"
    _show(verdict, directory.lasting_path, arguments.format, strict)
    if verdict.passed is None and not strict:
        return GOOD if arguments.format == "tap" else UNTOLD
    return GOOD if verdict.passed else BAD


def _parameters(arguments: argparse.Namespace, defaults: Mapping[str, str]) -> "Parameters":
    """The parameters of the run; raises UsageError if they are invalid."""
    from ..parameters.sources import of_settings
    from ..parameters.table import parse
    from ..verification.builds import named

    # Avocado passes its settings in the same namespace as the options.
    values = {**defaults, **of_settings(vars(arguments)), **parameter_options.chosen_parameters(arguments, ("qemu",))}
    if arguments.qemu is not None:
        [build] = named([arguments.qemu])
        values["qemu"] = build.qemu
    return parse(values)


def _show(verdict: "Verdict", directory: str | None, form: str, strict: bool) -> None:
    """Print the verdict; if it does not pass, also the reason on standard error, as some runners show only that."""
    from ..report.terminal import fitted
    from ..report.verdict_json import fields
    from ..report.verdict_sentence import reason
    from ..report.verdict_tap import tap
    from ..report.verdict_text import labelled, table

    files = [("files in", directory)] if directory else []
    if form == "json":
        show_json({"files": directory, **fields(verdict)})
    elif form == "tap":
        show(tap(verdict, strict, files))
    else:
        show(fitted(table([*labelled(verdict), *files])))
    if not verdict.passed:
        tell(NAME, reason(verdict))


def _untold(error: "MigDowntimeError", directory: str | None, form: str, strict: bool) -> int:
    """Say why there is no verdict; return the exit status.

    If the host lacks something, the test counts as skipped, unless `strict`.
    """
    from ..errors import HostRequirementError, UnusableBuildError, UsageError
    from ..report.verdict_tap import bailed_out, skipped

    tell(NAME, f"{error}; files in {directory}" if directory else str(error))
    is_bad_input = isinstance(error, UsageError) and not isinstance(error, UnusableBuildError)
    status = UNUSABLE if is_bad_input else UNTOLD
    skips = isinstance(error, HostRequirementError) and not strict
    if form != "tap":
        return status
    show(skipped(str(error)) if skips else bailed_out(str(error)))
    return GOOD if skips else status
