# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes an HTML page of what a job found into the job's results."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from avocado.core.output import LOG_UI
from avocado.core.plugin_interfaces import Result

from ..basics.names import PAGE_OF_A_JOB, TRACE_OF_TEST
from ..basics.printable import in_a_line
from ..errors import UsageError
from ..host.blas import use_one_thread

if TYPE_CHECKING:
    from ..report.entry import Recorded

_JUDGED = ("PASS", "FAIL", "WARN")
"""Statuses of tests that reached a verdict."""


class MigDowntimeResult(Result):
    """Writes PAGE_OF_A_JOB into the results of a job that recorded a migration."""

    name = "migdowntime"
    description = "Page of the migration downtime tests"

    def render(self, result: Any, job: Any) -> None:
        tests = sorted(result.tests, key=lambda test: str(test["name"]))
        traces = [(test, Path(test.get("logdir") or "", TRACE_OF_TEST)) for test in tests]
        if not any(trace.is_file() for _, trace in traces):
            return
        use_one_thread()
        from ..basics.whole_file import write
        from ..comparison.job_results import by_build
        from ..comparison.outcome import outcomes
        from ..pictures.strip_plot import strips
        from ..report.entry import truths_of
        from ..report.html.page import page

        path = str(Path(job.logdir, PAGE_OF_A_JOB))
        entries = [_entry_of(test, trace) for test, trace in traces]
        strip_plots = strips(truths_of(entries), by_build(outcomes({"tests": list(map(entry, tests))}, "")))
        try:
            write(path, page(f"Migration downtime: job {job.unique_id[:7]}", entries, strip_plots))
        except UsageError as error:
            LOG_UI.error("migdowntime: %s", in_a_line(str(error)))
            return
        if job.config.get("stdout_claimed_by") is None:
            LOG_UI.info("JOB PAGE   : %s", path)


def entry(test: dict[str, Any]) -> dict[str, Any]:
    """A test in the format of results.json, with the keys that an outcome needs."""
    name = test["name"]
    outcome = {key: test.get(key) or "" for key in ("status", "whiteboard", "fail_reason")}
    return {"id": str(name), "name": f"{name.name}{name.str_variant}", **outcome}


def _entry_of(test: dict[str, Any], trace: Path) -> "Recorded":
    """A test's row of the page: its trace, and why it has no trace or did not finish."""
    from ..report.entry import Recorded, recorded

    name, status = str(test["name"]), str(test["status"])
    fault = str(test.get("fail_reason") or "").removeprefix("<unknown>")
    if trace.is_file():
        try:
            return recorded(str(trace), name, status, "" if status in _JUDGED else fault or status)
        except UsageError as error:
            fault = f"{fault}; {error}" if fault else str(error)
    return Recorded(name, status, fault=fault or "nothing was recorded")
