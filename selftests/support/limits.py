# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of this very process, for a while."""

import resource
import signal
from contextlib import contextmanager


@contextmanager
def limited(what, to):
    """Have the soft limit `what` be `to`; a file that gets too long raises OSError, as a full disk does."""
    before, handler = resource.getrlimit(what), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(what, (to, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(what, before)
        signal.signal(signal.SIGXFSZ, handler)
