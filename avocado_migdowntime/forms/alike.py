# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads lines of a long log at once if they differ only in their digits.

After one line was read normally, a template is made from it: what the form used as a number may be any number, the time
may be any time, and everything else must be the same. The following lines that match a template are collected. The form
then processes them as columns, by the same code as a single line. The result is the same as line by line; if it might
differ, the lines are read one by one.
"""

from collections.abc import Sequence

from .form import Line
from .log import Log
from .many import Many
from .readings import TemplateLine, batches_of
from .sieve import Raw
from .template import Template, template_of

MOST = 4096
"""The most lines that are read at once."""
_FEW = 4
"""Fewer lines than this are read one by one."""
_TEMPLATES = 64
"""The number of templates tried on a line, the latest ones: as many guests may migrate at the same time."""
_WORTH = 4
"""The number of lines that make a template worthwhile."""
_SELDOM = 16
"""If fewer lines match, only one in this many is examined."""


class Alike:
    """The collected lines, in order."""

    def __init__(self) -> None:
        self._templates: list[Template] = []
        self._lines: list[TemplateLine] = []
        self._template_count = self._line_count = self._skip_count = 0

    def begin(self, raw: bytes, line: Line, form: Log) -> bool:
        """Whether further lines may match `line`, which is all of `raw` and was read by `form` alone; makes a template
        if needed.
        """
        if self._template_count > _TEMPLATES + self._line_count / _WORTH:
            self._skip_count += 1
            if self._skip_count % _SELDOM:
                return False
        if self._templates and self._templates[0].form is not form:
            self._templates = []
        if any(one.pattern.fullmatch(raw) for one in self._templates):
            return True
        self._template_count += 1
        template = template_of(raw, line, form)
        if template is None:
            return False
        self._templates = [template, *self._templates[: _TEMPLATES - 1]]
        return True

    def take(self, text: bytes, begin: int, end: int, came_s: float) -> bool:
        """Collect the line from `begin` to `end` if it matches a template, and return whether it does."""
        if len(self._lines) == MOST:
            return False
        templates = self._templates
        for number, template in enumerate(templates):
            if match := template.pattern.fullmatch(text, begin, end):
                if number:
                    templates.insert(0, templates.pop(number))
                self._line_count += 1
                self._lines.append(TemplateLine(template, match.groups(), (match[0], came_s)))
                return True
        return False

    def close(self) -> tuple[Sequence[Many], Sequence[Raw]]:
        """What the collected lines yield, and those that must be read one by one after that: at least the last one.

        Reading these restores all that must be known about the text so far.
        """
        lines, self._lines = self._lines, []
        batches = batches_of(lines[:-1]) if len(lines) > _FEW else None
        return batches or [], [one.line for one in (lines if batches is None else lines[-1:])]
