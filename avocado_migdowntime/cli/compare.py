# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime compare`: compare the QEMUs of several jobs."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import BAD_INPUT, UNTOLD
from .origin import heading
from .output import refuse, show, show_json

if TYPE_CHECKING:
    from ..comparison.compare import Comparison
    from ..comparison.outcome import RunOutcome

NAME = "compare"
SUMMARY = "compare builds of QEMU by the results of jobs"

STATUSES = {
    0: "no build is worse than the first",
    1: "a build is worse",
    UNTOLD: "not enough runs to tell",
    BAD_INPUT: "bad input",
}
EXAMPLES = ("avocado migdowntime compare OLD NEW",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    parser.add_argument(
        "jobs",
        metavar="JOB",
        nargs="+",
        help=(
            "results of a job on one build, such as job-results/latest, or of `verify` on several builds; a directory, "
            "a .tar.gz or a URL with several jobs counts as one set; the first build is the reference"
        ),
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--picture", metavar="FILE", help="draw the errors of all runs as well: .png, .svg or .pdf")


def run(arguments: argparse.Namespace) -> int:
    """Print a table of the builds and the answer; name an unusable job on standard error."""
    from ..basics.archive import unpacked
    from ..comparison.job_results import builds_of
    from ..errors import UsageError

    try:
        with unpacked(arguments.jobs) as directories:
            builds = builds_of(arguments.jobs, directories)
        if arguments.picture and len(builds) > 1:
            _draw(builds, arguments.picture)
        return answer(builds, arguments.json)
    except UsageError as error:
        return refuse(NAME, error)


def _draw(builds: Sequence[Sequence["RunOutcome"]], file: str) -> None:
    from ..errors import UsageError
    from ..pictures.strip_plot import of_builds
    from ..report.strip_picture import save

    strip = of_builds(builds)
    if strip is None:
        raise UsageError(f"{file}: nothing to draw: no run has a figure")
    save(strip, file)


def answer(builds: Sequence[Sequence["RunOutcome"]], as_json: bool, on_this_host: bool = False) -> int:
    """Print the answer for runs of at least two builds; returns the exit status. Raises UsageError if there is none."""
    from ..comparison.compare import compare
    from ..errors import UsageError
    from ..report.comparison import errors, fields, sentence, subjects, summary
    from ..report.terminal import fitted, terminal_columns

    if len(builds) < 2:
        raise UsageError(f"all runs are on one build, {builds[0][0].build}; give jobs on other builds too")
    reference, *others = builds
    comparisons = [compare(reference, build, len(builds)) for build in others]
    if as_json:
        show_json({"answer": sentence(comparisons), **fields(builds, comparisons)})
    else:
        conclusion = " ".join(filter(None, [sentence(comparisons), errors(builds)]))
        above = heading(subjects(builds), on_this_host)
        show(fitted(f"{above}\n\n{summary(builds, terminal_columns())}\n\n{conclusion}"))
    return status(comparisons)


def status(comparisons: Sequence["Comparison"]) -> int:
    """The exit status for these answers."""
    from ..comparison.compare import Answer

    answers = {comparison.answer for comparison in comparisons}
    return 1 if Answer.WORSE in answers else UNTOLD if Answer.UNDECIDED in answers else 0
