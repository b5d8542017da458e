# SPDX-License-Identifier: GPL-2.0-or-later
"""The base class of a form's reader, which takes the lines of a text one by one and returns their items.

To add a form: write a file here with a subclass of `Form`, add it to `catalogue.FORMS`, and add a real example beside
the others.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from ..trace.reading import Item, Stamp


@dataclass(frozen=True, slots=True)
class Line:
    """A line without what people and programs put around it.

    `text` has no quote marks, escape sequences, monitor prompts, or blanks at its ends. `message` also lacks the time
    and the prefix of a log, as far as these are known. `stamp` is the line's own time. `arrived_s` is when it was read.
    `is_within` says that another program had put it in a string.
    """

    text: str
    message: str
    stamp: Stamp | None = None
    arrived_s: float = 0.0
    is_within: bool = False

    def containing(self, text: str) -> "Line":
        """A line whose text is within this one."""
        return replace(self, text=text, message=text)


MAYBE: Sequence["Item | Line"] = ()
"""Returned for a line that is taken, but may turn out to be of no known form."""

ANOTHER = ", migration "
"""Between a guest's name and the number of its migration, if that is not its first."""


class Form:
    """Reads one form. One object reads one text, from its first line to its last."""

    NAME: ClassVar[str]
    """What messages call the text: `the text of info migrate`."""
    NEEDLES: ClassVar[tuple[bytes, ...]] = (b"emain",)
    """Each text of this form contains one of these, and few others do: a log is searched for them first.

    A few lines around them are read as well. The needles of all forms are searched for, so each one makes reading a log
    of 300 MB slower. `emain` is in every figure called remaining, `owntime` in every downtime.
    """
    ALSO: ClassVar[tuple[bytes, ...]] = ()
    """Strings in further relevant lines. They are searched for only near a needle, and only once a line of this form
    was seen.
    """
    CUT: ClassVar[re.Pattern[str] | None] = None
    """Matches a line with figures from its start, so that it is recognised even if it was broken into several."""
    WHOLE: ClassVar[tuple[re.Pattern[str], ...]] = ()
    """One of these matches such a line if it is complete."""
    LACKS: ClassVar[str] = ""
    """What no text of this form shows although a verdict needs it: `no dirty rate and no pages`."""
    LOGS_LIMITS: ClassVar[bool] = False
    """Whether a text of this form shows each downtime-limit that is set, including the first."""
    OF_MIGRATIONS: ClassVar[bool] = False
    """Whether a text of this form names migrations, not guests."""
    INSTEAD: ClassVar[str] = ""
    """The command of that product that shows it, to follow the word `take`."""

    def __init__(self) -> None:
        self.recognised = False
        """Whether a line of this form was seen, even a useless one."""

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        """The items that `line` completes, perhaps none yet; None if it is no line of this form.

        A line is offered to the forms in order until one takes it. A returned line is read as if the text had it there.
        MAYBE is returned for a line of which only the following ones show whether it is of this form.
        """
        raise NotImplementedError

    def end(self) -> Iterable[Item]:
        """The items that are complete because nothing follows."""
        return ()

    def settle(self) -> Iterable[Item]:
        """The items that are complete if nothing has followed for a while, though something may."""
        return ()
