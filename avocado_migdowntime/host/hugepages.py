# SPDX-License-Identifier: GPL-2.0-or-later
"""Hugepages for the QEMUs of one run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .lock import shared
from .pool import pool
from .protocol import AcquireHugepages, HugepagesGrant
from .resources import HostResources


@dataclass(frozen=True)
class Hugepages:
    """Hugepages reserved for this run; the pool was grown by `added` of them."""

    page_size_bytes: int
    count: int
    added: int
    _resources: HostResources
    _hold: int

    @contextmanager
    def hand_over(self) -> Iterator[None]:
        """Let the QEMUs that are launched in this block take the pages; leave the block when they answer QMP.

        Before this block nobody at all can take the pages; within it, no other run can. Entering waits while another
        run is reserving pages (seconds at most). Acquire nothing else within the block.
        """
        if not self.count:
            yield
            return
        with shared(pool(self.page_size_bytes).path):
            self._resources.release((self._hold,))
            yield


@contextmanager
def lease_hugepages(
    resources: HostResources, page_size_bytes: int, count: int, *, allowed: bool
) -> Iterator[Hugepages]:
    """Reserve `count` free hugepages of this size, over all NUMA nodes, for one set of QEMUs.

    Free pages of the host are used first. Missing pages are added to the pool, if `allowed` and running as root, and
    removed at the end; adding many pages can take seconds. With a `count` of 0 (base pages) this does nothing. Raises
    HostRequirementError, with the command that fixes it, if the host lacks the pages.
    """
    if not count:
        yield Hugepages(page_size_bytes, 0, 0, resources, 0)
        return
    with resources.lease(AcquireHugepages(page_size_bytes, count, allowed), HugepagesGrant) as grant:
        yield Hugepages(page_size_bytes, count, grant.added, resources, grant.hold)
