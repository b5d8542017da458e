# SPDX-License-Identifier: GPL-2.0-or-later
"""The doctor's findings, as lines for people and as JSON fields for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..basics.printable import in_a_line
from ..doctor.host_check import HostCheck, State, able


def summary(findings: Sequence[HostCheck]) -> str:
    """A line for each finding, `ok` or what is wrong, with what fixes it below; last, whether the default test runs."""
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.name:<{width}}  {finding.state:<5}  {in_a_line(finding.text)}")
        if finding.mend:
            lines.append(f"{'':<{width}}  fix:   {in_a_line(finding.mend)}")
    return "\n".join([*lines, f"{'default test':<{width}}  {_conclusion(findings)}"])


def _conclusion(findings: Sequence[HostCheck]) -> str:
    if able(findings):
        return "ok     can run"
    if all(finding.name.startswith("hugepages ") for finding in findings if finding.state is State.FAULT):
        return "fault  cannot run on hugepages; it can on 4 KiB pages: -p page_size=4K"
    return "fault  cannot run; see the faults above"


def fields(findings: Sequence[HostCheck]) -> dict[str, Any]:
    """The findings as plain JSON values."""
    return {"able": able(findings), "findings": [asdict(finding) for finding in findings]}
