# SPDX-License-Identifier: GPL-2.0-or-later
"""Adds what Avocado's xUnit file leaves out.

It leaves out the log (which has the figures) of a test that passed, and the reason why a test was skipped. For a failed
test it has a traceback where readers of CI results look for the reason.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from avocado.core.output import LOG_UI
from avocado.core.plugin_interfaces import JobPost

from ..basics.names import KIND, LACKING_FAILS
from ..basics.printable import in_a_line, in_lines
from ..basics.whole_file import write
from ..errors import UsageError
from .result import entry

_ANSWERS = ("TestFail", LACKING_FAILS, "UsageError", "HarnessError")
"""Exceptions whose message is a sentence for the user. For any other, the traceback is worth more."""


class MigDowntimeXunit(JobPost):
    """Completes the xUnit files after Avocado's plugins have written them."""

    name = "migdowntime-xunit"
    description = "Figures and reasons of the migration downtime tests in xUnit files"

    def post(self, job: Any) -> None:
        if not any(map(_may_have_a_verdict, job.result.tests)):
            return
        most = int(job.config["job.run.result.xunit.max_test_log_chars"])
        for path in filter(Path.is_file, _files(job)):
            try:
                write(str(path), _completed(path, job.result.tests, most))
            except UsageError as error:
                LOG_UI.error("migdowntime: %s", in_a_line(str(error)))


def _may_have_a_verdict(test: dict[str, Any]) -> bool:
    """A cheap check, before importing the modules that can tell."""
    return bool(test.get("whiteboard")) or f"{KIND}:" in str(test["name"])


def _files(job: Any) -> Iterator[Path]:
    if job.config["job.run.result.xunit.enabled"]:
        yield Path(job.logdir, "results.xml")
    if (named := job.config["job.run.result.xunit.output"]) not in (None, "-"):
        yield Path(named)


def _completed(path: Path, tests: list[dict[str, Any]], most: int) -> bytes:
    from ..comparison.outcome import outcomes

    document = ElementTree.parse(path)
    # Avocado writes each of the tests, in this order.
    for case, test in zip(document.iter("testcase"), tests, strict=True):
        if why := in_lines(str(test.get("fail_reason") or "")):
            for skipped in case.findall("skipped"):
                skipped.set("message", why)
            if test.get("fail_class") in _ANSWERS:
                for failed in (*case.findall("failure"), *case.findall("error")):
                    failed.text = why
        if case.find("system-out") is None and outcomes({"tests": [entry(test)]}, ""):
            log = _log(test)
            # Keep the end: the summary is there.
            ElementTree.SubElement(case, "system-out").text = log if len(log) <= most else f"[…]\n{log[-most:]}"
    ElementTree.indent(document)
    buffer = BytesIO()
    document.write(buffer, "UTF-8", xml_declaration=True)
    return buffer.getvalue()


def _log(test: dict[str, Any]) -> str:
    try:
        text = Path(test["logfile"]).read_text(errors="replace")
    except (KeyError, OSError):
        text = str(test.get("fail_reason") or "")
    return in_lines(text)
