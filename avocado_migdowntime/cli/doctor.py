# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime doctor`: can the tests run here, and if not, what fixes it?"""

import argparse

from . import BAD_INPUT, UNTOLD
from .output import refuse, show, show_json, tell
from .progress import may_be_quiet, teller

NAME = "doctor"
SUMMARY = "check whether tests can run on this host, and how to fix it"
NOTES = """\
The default test is expected-downtime, with the settings in section migdowntime of Avocado's configuration. If they
name other hosts, doctor examines these over SSH as well. Each line is ok, a note (other tests lack something, verdicts
may suffer, or old files were found) or a fault, which prevents the default test. doctor changes nothing on a host."""
STATUSES = {
    0: "the default test can run",
    1: "it cannot",
    BAD_INPUT: "bad input in the settings",
    UNTOLD: "the host could not be examined",
}
EXAMPLES = ("avocado migdowntime doctor", "avocado migdowntime doctor --json")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to `parser`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    may_be_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings."""
    from ..basics import event_loop
    from ..doctor.checks import check_host
    from ..doctor.host_check import able
    from ..doctor.probing import examine
    from ..errors import MigDowntimeError
    from ..parameters.sources import of_settings
    from ..parameters.table import parse
    from ..report.doctor import fields, summary
    from ..report.terminal import fitted

    try:
        # Avocado passes its settings in the same namespace as the options.
        parameters = parse(of_settings(vars(arguments)))
        findings = tuple(check_host(event_loop.run(examine(parameters, teller(NAME, arguments)))))
    except MigDowntimeError as error:
        return refuse(NAME, error)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        tell(NAME, f"{what}; /proc, /sys and /tmp of a Linux host are needed")
        return UNTOLD
    if arguments.json:
        show_json(fields(findings))
    else:
        show(fitted(summary(findings)))
    return 0 if able(findings) else 1
