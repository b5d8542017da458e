# SPDX-License-Identifier: GPL-2.0-or-later
"""What Avocado's xUnit file leaves out: the logs, with the figures, of tests that did not fail.

A CI shows a test's `system-out` to who looks at it; Avocado's own plugin writes that of failed tests only.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from avocado.core.output import LOG_UI
from avocado.core.plugin_interfaces import JobPost

from ..basics.names import KIND
from ..basics.printable import in_lines
from ..basics.whole_file import write
from ..errors import UsageError
from .result import entry


class MigDowntimeXunit(JobPost):
    """Adds them to the files that are there, once Avocado's plugins have written theirs."""

    name = "migdowntime-xunit"
    description = "Figures of the migration downtime tests in xUnit files"

    def post(self, job: Any) -> None:
        if not any(map(_may_have_a_verdict, job.result.tests)):
            return
        most = int(job.config["job.run.result.xunit.max_test_log_chars"])
        for path in filter(Path.is_file, _files(job)):
            try:
                write(str(path), _with_logs(path, job.result.tests, most))
            except UsageError as error:
                LOG_UI.error("migdowntime: %s", error)


def _may_have_a_verdict(test: dict[str, Any]) -> bool:
    """Whether it is worth importing what can tell."""
    return bool(test.get("whiteboard")) or f"{KIND}:" in str(test["name"])


def _files(job: Any) -> Iterator[Path]:
    if job.config["job.run.result.xunit.enabled"]:
        yield Path(job.logdir, "results.xml")
    if (named := job.config["job.run.result.xunit.output"]) not in (None, "-"):
        yield Path(named)


def _with_logs(path: Path, tests: list[dict[str, Any]], most: int) -> bytes:
    from ..comparison.outcome import outcomes

    document = ElementTree.parse(path)
    # Avocado writes the tests in this order, each of them.
    for case, test in zip(document.iter("testcase"), tests, strict=True):
        if case.find("system-out") is None and outcomes({"tests": [entry(test)]}, ""):
            log = _log(test)
            # The summary is at the end.
            ElementTree.SubElement(case, "system-out").text = log if len(log) <= most else f"[…]\n{log[-most:]}"
    ElementTree.indent(document)
    written = BytesIO()
    document.write(written, "UTF-8", xml_declaration=True)
    return written.getvalue()


def _log(test: dict[str, Any]) -> str:
    try:
        text = Path(test["logfile"]).read_text(errors="replace")
    except (KeyError, OSError):
        text = str(test.get("fail_reason") or "")
    return in_lines(text)
