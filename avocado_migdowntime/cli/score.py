# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime score`: which formula comes closest to the real downtime of stopped guests."""

import argparse

from . import BAD_INPUT
from .output import refuse, show, show_json, tell
from .progress import lasting, may_be_quiet, teller

NAME = "score"
SUMMARY = "compare formulas with the real downtime of guests stopped in mid-pass"
STATUSES = {
    0: "scored",
    BAD_INPUT: "bad input",
}
EXAMPLES = ("avocado migdowntime score ~/avocado/job-results/latest --picture score.svg",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    parser.add_argument(
        "places",
        metavar="JOB|RECORDING",
        nargs="+",
        help=(
            "results of a job that ran migdowntime:stop-now; a directory, a .tar.gz or a URL with several such jobs; "
            "or a recording of such a test"
        ),
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--picture", metavar="FILE", help="draw the errors as well: .png, .svg or .pdf")
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the scores; name recordings without a stopped guest on standard error, and leave them out."""
    from ..basics.archive import unpacked
    from ..basics.whole_file import refuse_as_output
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
        with unpacked(arguments.places) as directories:
            traces = list(traces_of(arguments.places, directories))
            if arguments.picture:
                refuse_as_output(arguments.picture, traces)
            for path in traces:
                try:
                    with lasting(teller(NAME, arguments), f"reading {path}"):
                        stop = mid_pass_stop(Evidence.of(read(path)))
                    truth, why = (stop.truth, stop.check.sentence) if stop is not None else (None, "")
                except UsageError as error:
                    if path in arguments.places:
                        raise
                    truth, why = None, str(error).removeprefix(f"{path}: ")
                if truth is None:
                    tell(NAME, f"{path}: {why or 'it stopped no guest in mid-pass'}")
                else:
                    truths.append(truth)
        if not truths:
            raise UsageError(
                "none of these recordings has a guest stopped in mid-pass; give results of migdowntime:stop-now"
            )
        scored = scores(truths)
        if arguments.picture:
            from ..pictures.strip_plot import of_truths
            from ..report.strip_picture import save

            save(of_truths(truths), arguments.picture)
    except UsageError as error:
        return refuse(NAME, error)
    if arguments.json:
        show_json(fields(scored, truths))
    else:
        show(fitted(summary(scored, terminal_columns())))
    return 0
