# SPDX-License-Identifier: GPL-2.0-or-later
"""The two texts in the output of `diff`: the older one, as far as it is shown, and the newer one."""

import re
from collections.abc import Mapping

_UNIFIED = re.compile(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@", re.MULTILINE)
_PLAIN = re.compile(r"^\d+(?:,\d+)?[acd]\d+(?:,\d+)?[ \t\r]*\n[<>] ", re.MULTILINE)
_SIDES: Mapping[re.Pattern[str], tuple[str, str]] = {_UNIFIED: (" -", " +"), _PLAIN: ("<", ">")}
_HEADS = ("--- ", "+++ ")


def sides(text: str) -> tuple[str, str] | None:
    """The two texts; None if it is no diff."""
    for kind, marks in _SIDES.items():
        if kind.search(text):
            lines = [line for line in text.splitlines(keepends=True) if not line.startswith(_HEADS)]
            older, newer = ("".join(line[1:] for line in lines if line[0] in mark) for mark in marks)
            return older, newer
    return None
