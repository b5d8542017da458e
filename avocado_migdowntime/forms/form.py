# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reader of one form is: it takes the lines of a text as they come, and gives what they tell.

To add one: a file here with a subclass of `Form`, its name in `catalogue.FORMS`, and a real example beside the others.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from ..trace.reading import Item, Stamp


@dataclass(frozen=True, slots=True)
class Line:
    """A line without what people and programs put around it.

    `text` has no marks of quoting, escape sequences, prompt of a monitor or blanks at its ends; `message` lacks also
    the time and the words that a log puts before what was logged, as far as they are known. `stamp` is the line's own
    time. `arrived_s` is when it was read. `is_within` a string it was told by another program.
    """

    text: str
    message: str
    stamp: Stamp | None = None
    arrived_s: float = 0.0
    is_within: bool = False

    def containing(self, text: str) -> "Line":
        """A line of what this one has within it."""
        return replace(self, text=text, message=text)


MAYBE: Sequence["Item | Line"] = ()
"""Of a line that is taken, though it may turn out to be of no known form."""


class Form:
    """Reads one form. One object reads one text, from its first line to its last."""

    NAME: ClassVar[str]
    """What the text is called in a sentence: `the text of info migrate`."""
    NEEDLES: ClassVar[tuple[bytes, ...]] = (b"emain",)
    """Each text of this form has one of these in it, and few others do: a log is searched for them first.

    A few lines around are read as well. What all forms name is searched for, so that a log of 300 MB costs more with
    each: `emain` is in every figure that is called remaining, `owntime` in every downtime.
    """
    ALSO: ClassVar[tuple[bytes, ...]] = ()
    """What is in further lines that tell something; they are found only near those that have a needle, and only once a
    line was of this form.
    """
    CUT: ClassVar[re.Pattern[str] | None] = None
    """What is in a line with figures from its begin on, so that it is told though it was broken into several."""
    WHOLE: ClassVar[tuple[re.Pattern[str], ...]] = ()
    """Of these one is found in such a line if all of it is there."""
    LACKS: ClassVar[str] = ""
    """What no text of this form shows and a verdict needs: `no dirty rate and no pages`."""
    LOGS_LIMITS: ClassVar[bool] = False
    """Whether each downtime-limit that is set is in a text of this form, the first one as well."""
    INSTEAD: ClassVar[str] = ""
    """The command of that product that shows it, to be put behind `take`."""

    def __init__(self) -> None:
        self.recognised = False
        """Whether a line was of this form, even if it told nothing of use."""

    def take(self, line: Line) -> Sequence[Item | Line] | None:
        """What `line` makes whole, perhaps nothing yet; or None where it is no line of this form.

        A line is shown to the forms in their order until one of them takes it. A line that is given back is read as if
        the text had it there. MAYBE is for a line of which only those behind it show whether it is of this form.
        """
        raise NotImplementedError

    def end(self) -> Iterable[Item]:
        """What is whole because nothing follows."""
        return ()

    def settle(self) -> Iterable[Item]:
        """What is whole if nothing has followed for a while, though something may."""
        return ()
