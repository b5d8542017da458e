# SPDX-License-Identifier: GPL-2.0-or-later
"""A private directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .protocol import AcquireDirectory, DirectoryGrant
from .resources import HostResources


@contextmanager
def work_directory(resources: HostResources, within: Path = Path("/tmp")) -> Iterator[Path]:
    """A fresh directory; in /tmp its path is so short that UNIX sockets in it can have names of 80 bytes (unix(7)).

    Raises HarnessError where none can be made.
    """
    with resources.lease(AcquireDirectory(str(within)), DirectoryGrant) as grant:
        yield Path(grant.path)
