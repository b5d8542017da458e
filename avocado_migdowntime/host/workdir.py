# SPDX-License-Identifier: GPL-2.0-or-later
"""A private directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .protocol import AcquireDirectory, DirectoryGrant
from .resources import HostResources


@contextmanager
def work_directory(resources: HostResources, within: Path = Path("/tmp")) -> Iterator[Path]:
    """A new directory. Its path in /tmp is short enough that UNIX sockets in it can have names of 80 bytes (unix(7)).

    Raises HarnessError if it cannot be created.
    """
    with resources.lease(AcquireDirectory(str(within)), DirectoryGrant) as grant:
        yield Path(grant.path)
