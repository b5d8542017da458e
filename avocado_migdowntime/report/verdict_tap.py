# SPDX-License-Identifier: GPL-2.0-or-later
"""A verdict in TAP, the Test Anything Protocol, for test runners that read it, such as meson's.

It has a line for each check, with its name and code, and the summary as comments. It is version 13, because version 14
adds nothing needed here and fewer runners read it.
"""

import json
from collections.abc import Iterable

from ..basics.printable import in_a_line
from ..verdict.check import Check, Outcome
from ..verdict.verdict import Verdict
from .verdict_sentence import sentence
from .verdict_text import labelled, table


def tap(verdict: Verdict, strict: bool, more: Iterable[tuple[str, str]] = ()) -> str:
    """The whole output. An undecided check is a skipped test, or a failed one if `strict`.

    A check that was not judged is skipped in any case. `more` has further lines of the summary, each with its label.
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
        # Every JSON string is also a YAML string.
        return [line, "  ---", f"  message: {json.dumps(why, ensure_ascii=False)}", "  ..."] if why else [line]
    return [f"{line} # SKIP {why}".rstrip()]


def _in_a_line(text: str) -> str:
    return in_a_line(" ".join(text.split()))
