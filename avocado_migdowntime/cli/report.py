# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime report`: recorded migrations as a page, or as a picture for a mail."""

import argparse

from . import BAD_INPUT
from .output import refuse
from .progress import lasting, may_be_quiet, teller

NAME = "report"
SUMMARY = "make a page or a picture from recordings and jobs"
TITLE = "Migration downtime"
STATUSES = {
    0: "written",
    BAD_INPUT: "bad input or output",
}
EXAMPLES = ("avocado migdowntime report ~/avocado/job-results/latest --output report.html",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    parser.add_argument(
        "places",
        metavar="JOB|RECORDING",
        nargs="+",
        help=(
            "results of a job; a directory, a .tar.gz or a URL with several jobs; a recording, or a text about a "
            "migration; - is standard input"
        ),
    )
    parser.add_argument(
        "--output",
        "-o",
        metavar="FILE",
        required=True,
        help="what to write: a page (.html) or a picture (.png, .svg, .pdf)",
    )
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the report, completely or not at all; name unusable input on standard error."""
    from ..basics.archive import as_given, unpacked
    from ..basics.whole_file import ending, refuse_as_output, write
    from ..comparison.job_results import builds_of, is_job, traces_of
    from ..errors import UsageError
    from ..report.entry import Recorded, name_of, recorded, truths_of

    file = arguments.output
    try:
        kind = ending(file, ("html", "png", "svg", "pdf"))
        with unpacked(arguments.places) as directories:
            tests = []
            traces = list(traces_of(arguments.places, directories))
            refuse_as_output(file, traces)
            for path in traces:
                try:
                    with lasting(teller(NAME, arguments), f"judging {path}"):
                        tests.append(recorded(path))
                except UsageError as error:
                    if path in arguments.places:
                        raise
                    tests.append(Recorded(name_of(path), fault=as_given(str(error), directories)))
            builds = builds_of((each for each in arguments.places if is_job(each, directories)), directories)
        if kind == "html":
            from ..pictures.strip_plot import strips
            from ..report.html.page import page

            write(file, page(TITLE, tests, strips(truths_of(tests), builds)))
        else:
            from ..report.picture import save

            save(tests, file)
    except UsageError as error:
        return refuse(NAME, error)
    return 0
