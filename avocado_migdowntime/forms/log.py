# SPDX-License-Identifier: GPL-2.0-or-later
"""The common part of the readers of products' logs, whose lines have figures."""

from .form import Form
from .log_numbers import Numbers, Statement
from .remaining import LastLooks


class Log(Form):
    """A form whose lines with figures may be read many at once: see `alike`."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = LastLooks()

    def statement(self, numbers: Numbers) -> Statement | None:
        """What one line with figures, or many similar ones, say; None if it is no such line, or if other lines must be
        known too.

        Remembers nothing. Raises Differ if the lines lead to different decisions.
        """
        raise NotImplementedError
