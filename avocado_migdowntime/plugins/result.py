# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that shows a person what a job found, among its results."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from avocado.core.output import LOG_UI
from avocado.core.plugin_interfaces import Result

from ..errors import BadInput
from ..recordings import TRACE_OF_TEST

if TYPE_CHECKING:
    from ..report.recorded import Recorded

PAGE = "migdowntime.html"


class MigDowntimeResult(Result):
    """Writes PAGE into the results of a job in which a migration was recorded."""

    name = "migdowntime"
    description = "Page of the migration downtime tests"

    def render(self, result: Any, job: Any) -> None:
        found = [(test, Path(test.get("logdir") or "", TRACE_OF_TEST)) for test in result.tests]
        if not any(trace.is_file() for _, trace in found):
            return
        from ..report.html.page import page
        from ..report.whole_file import write

        path = str(Path(job.logdir, PAGE))
        try:
            write(path, page(f"Migration downtime: job {job.unique_id[:7]}", [_shown(*one) for one in found]))
        except BadInput as error:
            LOG_UI.error("migdowntime: %s", error)
            return
        if job.config.get("stdout_claimed_by") is None:
            LOG_UI.info("JOB PAGE   : %s", path)


def _shown(test: dict[str, Any], trace: Path) -> "Recorded":
    """What a test has to show: its trace, or why there is none."""
    from ..report.recorded import Recorded, recorded

    name, status = str(test["name"]), str(test["status"])
    fault = str(test.get("fail_reason") or "").removeprefix("<unknown>")
    if trace.is_file():
        try:
            return recorded(str(trace), name, status)
        except BadInput as error:
            fault = f"{fault}; {error}" if fault else str(error)
    return Recorded(name, status, fault=fault or "nothing was recorded")
