# SPDX-License-Identifier: GPL-2.0-or-later
"""A verdict for runners of tests that read TAP, the Test Anything Protocol, such as meson's.

A line for each check, by its name and code, and the summary as comments. Version 13, as 14 has nothing that is needed
and is read by fewer.
"""

import json
from collections.abc import Iterable

from ..basics.printable import in_a_line
from ..verdict.check import Check, Outcome
from ..verdict.verdict import Verdict
from .verdict_sentence import sentence
from .verdict_text import labelled, table


def tap(verdict: Verdict, strict: bool, more: Iterable[tuple[str, str]] = ()) -> str:
    """The whole output; a check that could not be told is a skipped test, or, where `strict`, one that failed.

    A check that need not be told is skipped in any case. `more` are lines of the summary, each with its label.
    """
    checks = verdict.checks
    lines = ["TAP version 13", f"1..{len(checks)}"]
    for number, check in enumerate(checks, 1):
        lines += _point(number, check, verdict, strict)
    lines += [f"# {line}" for line in table([*labelled(verdict), *more]).splitlines()]
    return "\n".join(lines)


def skipped(why: str) -> str:
    """The whole output if this host cannot do the run."""
    return f"TAP version 13\n1..0 # SKIP {_in_a_line(why)}"


def bailed_out(why: str) -> str:
    """The whole output of a run without a verdict."""
    return f"TAP version 13\nBail out! {_in_a_line(why)}"


def _point(number: int, check: Check, verdict: Verdict, strict: bool) -> list[str]:
    failed = check.outcome is Outcome.FAILED or (strict and check.outcome is Outcome.UNDECIDED)
    line = f"{'not ok' if failed else 'ok'} {number} {check.name}: {check.code}"
    why = _in_a_line(sentence(check, verdict))
    if failed or check.outcome is Outcome.PASSED:
        # A string of JSON is one of YAML.
        return [line, "  ---", f"  message: {json.dumps(why, ensure_ascii=False)}", "  ..."] if why else [line]
    return [f"{line} # SKIP {why}".rstrip()]


def _in_a_line(text: str) -> str:
    return in_a_line(" ".join(text.split()))
