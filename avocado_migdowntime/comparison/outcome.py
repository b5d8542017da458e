# SPDX-License-Identifier: GPL-2.0-or-later
"""The results of a job's tests: the figures for comparing the runs of two builds."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ..basics.printable import in_a_line, printable
from ..errors import UsageError
from ..verdict.verdict import Judgement

ANOTHER_FAULT = 1e6
"""`abs_error` of a run with another fault than the report: more than any report is off."""

_SCHEME = "migdowntime:"
_NAME = re.compile(r"(?P<test>[^;@]*)(?:@(?P<build>[^;]*))?(?:;(?:run-)?(?P<variant>.*))?", re.DOTALL)
_SUBJECT = re.compile(r"(?:QEMU (?P<release>\S+(?: \(v\S+\))?) ?)?(?P<guest>.*)", re.DOTALL)


def name_on(test: str, build: str) -> str:
    """The name of a test on one of several builds in a job; the variant's name is appended."""
    return f"{test}@{build}"


@dataclass(frozen=True)
class RunOutcome:
    """One run on one build of `variant`: the test, with its variant if there are several.

    `status` is Avocado's; `reason` is Avocado's reason for a status other than PASS. The rest is from the run's
    verdict, and empty if it reached none; `passed` is then None, as it is for an inconclusive verdict. `contract` is
    the formula that QEMU was held to, within the relative `tolerance`; `guest` is what was migrated, by which QEMU
    `release`.
    """

    build: str
    variant: str
    status: str
    reason: str = ""
    passed: bool | None = None
    verdict: str = ""
    formula: str | None = None
    relative_error: float | None = None
    limit_verdict: str = ""
    convergence: str = ""
    downtime_ms: float | None = None
    contract: str = ""
    tolerance: float | None = None
    guest: str = ""
    release: str = ""

    @property
    def abs_error(self) -> float | None:
        """|relative error|, or ANOTHER_FAULT if that was not the fault; None if the run is not decisive."""
        if self.passed is None:
            return None
        if self.relative_error is None or (not self.passed and not self._is_off):
            return ANOTHER_FAULT
        return abs(self.relative_error)

    @property
    def _is_off(self) -> bool:
        """Whether the median of the reports is off. A report that is not updated may have a right median."""
        return self.verdict == Judgement.INACCURATE and abs(self.relative_error or 0) > (self.tolerance or 0)


def outcomes(results: Any, build: str) -> list[RunOutcome]:
    """The outcomes in a job's results.json, in the order in which the tests were to run.

    `build` is used for tests whose names do not have the build. Tests of other kinds are left out. Raises UsageError if
    this is no results.json, or its verdicts do not say how they were judged.
    """
    try:
        entries = sorted(results["tests"], key=lambda entry: int(entry["id"].partition("-")[0]))
        of_tests = [_outcome(entry, build) for entry in entries]
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        raise UsageError("these are not the results of a job of this release; run the job again") from None
    return [outcome for outcome in of_tests if outcome is not None]


def _outcome(entry: Mapping[str, Any], build: str) -> RunOutcome | None:
    parts = _NAME.fullmatch(entry["name"])
    verdict = _verdict(entry["whiteboard"])
    if parts is None or (verdict is None and not parts["test"].startswith(_SCHEME)):
        return None
    fields = {
        "build": parts["build"] or build,
        "variant": " ".join(filter(None, (parts["test"].removeprefix(_SCHEME), parts["variant"]))),
        "status": entry["status"],
        "reason": "" if entry["status"] == "PASS" else str(entry["fail_reason"]),
    }
    fields = {name: in_a_line(str(text)) for name, text in fields.items()}
    if verdict is None:
        return RunOutcome(**fields)
    return RunOutcome(
        **fields,
        passed={None: None, False: False, True: True}[verdict["passed"]],
        verdict=_text(verdict["verdict"]),
        formula=None if verdict["formula"] is None else _text(verdict["formula"]),
        relative_error=_figure(verdict["relative_error"]),
        limit_verdict=_text(verdict["limit_verdict"]),
        contract=_text(verdict["contract"]),
        tolerance=_figure(verdict["tolerance"]),
        **_SUBJECT.fullmatch(verdict["subject"]).groupdict(default=""),  # type: ignore[union-attr] # It matches any text.
        convergence=_text((verdict["convergence"] or {}).get("judgement", "")),
        downtime_ms=_figure((verdict["downtime"] or {}).get("qemu_ms")),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _figure(value: Any) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value)):
        raise TypeError
    return value


def _verdict(whiteboard: str) -> Any:
    """The verdict in a test's whiteboard; None if it has none, or is a test of another kind."""
    try:
        verdict = json.loads(whiteboard)
    except (ValueError, RecursionError):
        return None
    return printable(verdict) if isinstance(verdict, dict) and "limit_verdict" in verdict else None
