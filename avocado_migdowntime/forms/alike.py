# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines with figures of a long log that are alike but for their digits, read at once.

Once a line was read as any line is, a template is made of it: what was asked for as a number may be any, its time as
well, all else is as it was. The lines behind it that are of a template are kept, and what the form makes of one line it
makes of columns of them all. The result is the same as line by line; where it might not be, they are read
line by line.
"""

from collections.abc import Sequence

from .form import Line
from .log import Log
from .many import Many
from .readings import TemplateLine, batches_of
from .sieve import Raw
from .template import Template, template_of

MOST = 4096
"""So many lines are read at once."""
_FEW = 4
"""Fewer are read line by line."""
_TEMPLATES = 64
"""So many are tried on a line: those of the last lines, as where so many guests are migrated at a time."""
_WORTH = 4
"""A template is worth making for so many lines."""
_SELDOM = 16
"""Where fewer are alike, one in so many lines is looked at."""


class Alike:
    """The lines that were kept, in their order."""

    def __init__(self) -> None:
        self._templates: list[Template] = []
        self._lines: list[TemplateLine] = []
        self._template_count = self._line_count = self._skip_count = 0

    def begin(self, raw: bytes, line: Line, form: Log) -> bool:
        """Whether others may be as a line that was read, and told by this form alone: `line` is all of `raw`."""
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
        """Whether the line that is there was kept, as it is as one before."""
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
        """What the kept ones tell, but for lines that are to be read behind that: the last one at least.

        All that is to be known of a text is known then by reading these.
        """
        lines, self._lines = self._lines, []
        batches = batches_of(lines[:-1]) if len(lines) > _FEW else None
        return batches or [], [one.line for one in (lines if batches is None else lines[-1:])]
