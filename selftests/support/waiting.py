# SPDX-License-Identifier: GPL-2.0-or-later
"""Waits for what must come, however busy the host is: the limit ends a hanging test, and judges nothing."""

import time
from collections.abc import Callable

HANGS_S = 600.0
"""What takes this long hangs: no test waits less for what must come."""
_LOOK_S = 0.02


def until(condition: Callable[[], object], what: str = "what the test waits for", every_s: float = _LOOK_S) -> None:
    """Wait until `condition` holds, checking every `every_s`."""
    deadline_s = time.monotonic() + HANGS_S
    while not condition():
        assert time.monotonic() < deadline_s, f"{what} did not come within {HANGS_S:g} s"
        time.sleep(every_s)
