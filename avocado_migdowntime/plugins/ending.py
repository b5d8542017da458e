# SPDX-License-Identifier: GPL-2.0-or-later
"""Ending something that may not have begun yet."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Ending:
    """Asked for in one thread, and carried out once in whichever comes last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._carry_out: Callable[[], None] | None = None
        self.is_asked = False

    def ask(self) -> None:
        """What runs is to end, or not to begin."""
        with self._lock:
            if self._carry_out is not None and not self.is_asked:
                self._carry_out()
            self.is_asked = True

    @contextmanager
    def by(self, carry_out: Callable[[], None]) -> Iterator[None]:
        """Within the block there runs what ends by this; after it nothing does."""
        with self._lock:
            self._carry_out = carry_out
            if self.is_asked:
                carry_out()
        try:
            yield
        finally:
            with self._lock:
                self._carry_out = None
