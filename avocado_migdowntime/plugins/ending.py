# SPDX-License-Identifier: GPL-2.0-or-later
"""A request to end something that may not have started yet."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Ending:
    """One thread asks for the end; it is carried out once, in whichever thread gets there last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._carry_out: Callable[[], None] | None = None
        self.is_asked = False

    def ask(self) -> None:
        """Request the end: end what is running, or keep it from starting."""
        with self._lock:
            if self._carry_out is not None and not self.is_asked:
                self._carry_out()
            self.is_asked = True

    @contextmanager
    def by(self, carry_out: Callable[[], None]) -> Iterator[None]:
        """While the block runs, `carry_out` ends its work; call it at once if the end was requested before."""
        with self._lock:
            self._carry_out = carry_out
            if self.is_asked:
                carry_out()
        try:
            yield
        finally:
            with self._lock:
                self._carry_out = None
