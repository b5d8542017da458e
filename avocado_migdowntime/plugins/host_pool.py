# SPDX-License-Identifier: GPL-2.0-or-later
"""The hosts that a job's tests are spread over, and which of those tests have ended."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from avocado.core.output import LOG_UI

from ..basics.printable import in_a_line
from ..errors import HostRequirementError
from .ending import Ending
from .far_host import FarHost

_hosts: "Hosts | None" = None
"""One pool for the whole process: Avocado creates a spawner for each suite of a job."""


class Hosts:
    """The pool of hosts; each runs one test at a time."""

    def __init__(self, slots: Iterable[str]) -> None:
        self._all = [FarHost(slot) for slot in slots]
        self._free = list(self._all)
        self._usable = set(self._all)
        self._left_out: list[str] = []
        """Why hosts are not used any more."""
        self._changed = asyncio.Condition()
        self._threads = ThreadPoolExecutor(len(self._all))
        self.ends: set[str] = set()
        """Identifiers of the tests whose end Avocado has read."""

    async def take(self, given_up: Callable[[], bool], but: Collection[FarHost] = ()) -> FarHost | None:
        """Wait for a free host that is none of `but`; return None once `given_up()`, or if there is no such host.

        Raises HostRequirementError if no host is usable.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: given_up() or self._usable <= {*but} or not {*self._free} <= {*but})
            if not self._usable and not given_up():
                why = "; ".join(self._left_out)
                raise HostRequirementError(f"none of the hosts in `spawner.remote.slots` can be used any more ({why})")
            host = None if given_up() else next((each for each in self._free if each not in but), None)
            if host is not None:
                self._free.remove(host)
            return host

    @property
    def count(self) -> int:
        """How many hosts there are, usable or not."""
        return len(self._all)

    async def run(self, host: FarHost, arguments: list[str], within_s: float, ending: Ending) -> tuple[int, str]:
        """Run `FarHost.run` in this pool's own threads: asyncio's default has only a few more threads than CPUs."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, host.run, arguments, within_s, ending)

    async def give_back(self, host: FarHost) -> None:
        """Return a host to the pool: it runs nothing any more."""
        async with self._changed:
            if host in self._usable:
                self._free.append(host)
            self._changed.notify_all()

    async def leave_out(self, host: FarHost, why: str) -> None:
        """Give this host no further test."""
        async with self._changed:
            self._usable.discard(host)
            self._left_out.append(why)
            self._changed.notify_all()
        LOG_UI.error("migdowntime: %s; it gets no other test", in_a_line(why))

    async def look_again(self) -> None:
        """Wake those who wait for a host: one of them may have given up."""
        async with self._changed:
            self._changed.notify_all()

    def leave(self) -> None:
        """Close all connections."""
        for host in self._all:
            with suppress(Exception):
                host.close()
        self._threads.shutdown(wait=False)


def shared(slots: Iterable[str]) -> Hosts:
    """The pool of this process; created from these slots on the first call."""
    global _hosts
    if _hosts is None:
        _hosts = Hosts(slots)
    return _hosts


def note_end(test: str) -> None:
    """Record that Avocado has read the end of a test."""
    if _hosts is not None:
        _hosts.ends.add(test)


def leave() -> None:
    """Close the connections to all hosts, if there are any."""
    global _hosts
    if _hosts is not None:
        _hosts.leave()
        _hosts = None
