# SPDX-License-Identifier: GPL-2.0-or-later
"""Resource limits of this process, for a while."""

import resource
import signal
from contextlib import contextmanager


@contextmanager
def limited(what, to):
    """Set the soft limit `what` to `to`; a file that gets too long raises OSError, like a full disk."""
    before, handler = resource.getrlimit(what), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(what, (to, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(what, before)
        signal.signal(signal.SIGXFSZ, handler)
