# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime score`: which formula comes closest to what stopped guests were really down for."""

import argparse
import json
import sys

from . import BAD_INPUT
from .progress import lasting, may_be_quiet, teller

NAME = "score"
HELP = "score each estimator by how long guests were down that were stopped in mid-pass"


def configure(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of this command."""
    parser.epilog = (
        "Exit status: 0 scored, 2 bad input. Example: avocado migdowntime score ~/avocado/job-results/latest "
        "--picture score.svg"
    )
    parser.add_argument(
        "places",
        metavar="JOB|TRACE",
        nargs="+",
        help="results of a job that ran migdowntime:stop-now, or a trace of it",
    )
    parser.add_argument("--json", action="store_true", help="print an object instead of a table")
    parser.add_argument("--picture", metavar="FILE", help="draw the errors as well: .png, .svg or .pdf")
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the scores; a trace without a stopped guest is named on standard error and left out."""
    from ..comparison.estimator_score import scores
    from ..comparison.job_results import traces_of
    from ..errors import UsageError
    from ..forms.file import read
    from ..oracle.evidence import Evidence
    from ..report.score import fields, summary
    from ..report.terminal import fitted, terminal_columns
    from ..verdict.mid_pass_stop import mid_pass_stop

    truths = []
    try:
        for path in traces_of(arguments.places):
            try:
                with lasting(teller(NAME, arguments), f"reading {path}"):
                    stop = mid_pass_stop(Evidence.of(read(path)))
                truth, why = (stop.truth, stop.check.sentence) if stop is not None else (None, "")
            except UsageError as error:
                if path in arguments.places:
                    raise
                truth, why = None, str(error).removeprefix(f"{path}: ")
            if truth is None:
                print(f"migdowntime score: {path}: {why or 'no guest was to be stopped in it'}", file=sys.stderr)
            else:
                truths.append(truth)
        if not truths:
            raise UsageError("in none of these was a guest stopped in mid-pass; run migdowntime:stop-now")
        scored = scores(truths)
        if arguments.picture:
            from ..pictures.strip_plot import of_truths
            from ..report.strip_picture import save

            save(of_truths(truths), arguments.picture)
    except UsageError as error:
        print(f"migdowntime score: {error}", file=sys.stderr)
        return BAD_INPUT
    if arguments.json:
        print(json.dumps(fields(scored, truths), indent=2))
    else:
        print(fitted(summary(scored, terminal_columns())))
    return 0
