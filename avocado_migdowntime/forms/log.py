# SPDX-License-Identifier: GPL-2.0-or-later
"""What the readers of products' logs have in common, in which a line has figures."""

from .form import Form
from .log_numbers import Numbers, Statement
from .remaining import LastLooks


class Log(Form):
    """A form whose lines with figures may be read many at once: see `alike`."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = LastLooks()

    def statement(self, numbers: Numbers) -> Statement | None:
        """What a line with figures tells, or many that are alike; None where it is none, or more is to be known.

        Nothing is remembered of it. Raises Differ where these lines come to different decisions.
        """
        raise NotImplementedError
