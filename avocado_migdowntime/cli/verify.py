# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime verify`: run a test on builds of QEMU: are they equal, or is one good or bad?"""

import argparse
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from . import UNTOLD, parameter_options
from .bisection import BAD, GOOD, INTERRUPTED, UNUSABLE, never_bad
from .compare import answer
from .origin import heading
from .output import show, show_json, tell
from .progress import may_be_quiet, teller

if TYPE_CHECKING:
    from ..comparison.outcome import RunOutcome

NAME = "verify"
SUMMARY = "compare builds of QEMU by running tests on them, or judge one for git bisect"
STATUSES = {
    GOOD: "no build is worse than the first; for one build: good",
    BAD: "a build is worse; for one build: bad",
    UNTOLD: "not enough runs to tell, or this host lacks hugepages; for one build: cannot tell, or no QEMU starts",
    UNUSABLE: "bad input, one of several builds does not start, or the tool failed: `git bisect run` stops",
    INTERRUPTED: "interrupted: `git bisect run` stops",
}
EXAMPLES = ("avocado migdowntime verify --qemu old/build --qemu new/build",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    parser.add_argument(
        "--qemu",
        metavar="PATH",
        action="append",
        required=True,
        help="a QEMU binary, the directory of its build or installation, or a suite; repeat it for each build, the "
        "reference first",
    )
    parser.add_argument(
        "--test", default="expected-downtime", metavar="NAME", help="test to run (default: %(default)s)"
    )
    parser.add_argument(
        "-m",
        dest="variants",
        metavar="NAME",
        nargs="+",
        action="extend",
        default=[],
        help="variants, as for `avocado run`",
    )
    parameter_options.configure(parser, "a parameter for all runs; overrides variants")
    parser.add_argument(
        "--repeat",
        type=_count,
        metavar="N",
        help="runs of each variant on each build (default: 5 with one variant and two builds; 3 for one build)",
    )
    parser.add_argument("--job-results-dir", metavar="DIRECTORY", help="where results go, as for `avocado run`")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    may_be_quiet(parser)


def _count(text: str) -> int:
    from ..basics.units import parse_number

    try:
        count = int(parse_number(text, whole=True))
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return count


def run(arguments: argparse.Namespace) -> int:
    """Run the tests and print the answer. Only a failing build gets the status "bad"."""
    return never_bad(NAME, partial(_run, arguments))


def _run(arguments: argparse.Namespace) -> int:
    from ..errors import HostRequirementError, UnusableBuildError

    try:
        return _verified(arguments)
    except UnusableBuildError as error:
        tell(NAME, str(error))
        return UNTOLD if len(arguments.qemu) == 1 else UNUSABLE
    except HostRequirementError as error:
        tell(NAME, str(error))
        return UNTOLD
    except ModuleNotFoundError as error:
        mend = "Avocado runs the tests; install this package: pip install ."
        raise HostRequirementError(f"there is no module {error.name}; {mend}") from None


def _verified(arguments: argparse.Namespace) -> int:
    from ..verification.builds import named
    from ..verification.job import Plan

    parameters = parameter_options.chosen_parameters(arguments, ("qemu", "qemu_destination"))
    plan = Plan(
        named(arguments.qemu),
        arguments.test,
        arguments.variants,
        parameters,
        arguments.repeat,
        arguments.job_results_dir,
    )
    builds = plan.run(teller(NAME, arguments))
    return answer(builds, arguments.json, on_this_host=True) if len(builds) > 1 else _alone(builds[0], arguments.json)


def _alone(runs: Sequence["RunOutcome"], as_json: bool) -> int:
    from ..comparison.good_or_bad import Goodness, goodness
    from ..report.comparison import fields, subjects, summary
    from ..report.terminal import fitted, terminal_columns

    bisect_answer = goodness(runs)
    sentence = f"{bisect_answer.build} is {bisect_answer.goodness}: {bisect_answer.reason}."
    if bisect_answer.goodness is Goodness.UNKNOWN:
        sentence = f"cannot tell whether {bisect_answer.build} is good: {bisect_answer.reason}."
    if as_json:
        show_json({"answer": sentence, "goodness": str(bisect_answer.goodness), **fields([runs], [])})
    else:
        above = heading(subjects([runs]), on_this_host=True)
        show(fitted(f"{above}\n\n{summary([runs], terminal_columns())}\n\n{sentence}"))
    return {Goodness.GOOD: GOOD, Goodness.BAD: BAD, Goodness.UNKNOWN: UNTOLD}[bisect_answer.goodness]
