# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's events of a guest, and its QEMU's events through libvirt, as QMP events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from .binding import Binding

LIFECYCLE, ITERATION, JOB_COMPLETED = "LIFECYCLE", "MIGRATION_ITERATION", "JOB_COMPLETED"
_PHASES = ("defined", "undefined", "started", "suspended", "resumed", "stopped", "shutdown", "suspended by its power")
_SUSPENDED, _RESUMED, _STOPPED = (_PHASES.index(name) for name in ("suspended", "resumed", "stopped"))
_STOPS = ("shut down", "destroyed", "crashed", "migrated", "saved", "failed", "reverted to a snapshot")
"""How a guest stopped (virDomainEventStoppedDetailType)."""
_MIGRATED = 3


class Events:
    """The events of one side: any thread adds them; the loop that created this object receives them."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Mapping[str, Any]] | None = None

    @property
    def qmp(self) -> "Events":
        """This object, which is itself the listener's source."""
        return self

    @contextmanager
    def listener(self) -> Iterator[AsyncIterator[Mapping[str, Any]]]:
        """The events that come within the block."""
        self._queue = asyncio.Queue()
        try:
            yield self._come(self._queue)
        finally:
            self._queue = None

    def put(self, message: Mapping[str, Any]) -> None:
        """Add one, from any thread."""
        with suppress(RuntimeError):  # The loop has been closed.
            self._loop.call_soon_threadsafe(self._put, message)

    def _put(self, message: Mapping[str, Any]) -> None:
        if self._queue is not None:
            self._queue.put_nowait(message)

    async def _come(self, queue: "asyncio.Queue[Mapping[str, Any]]") -> AsyncIterator[Mapping[str, Any]]:
        while True:
            yield await queue.get()


class GuestEvents:
    """The events of a guest: `of_qemu` has those of its QEMU, `of_libvirt` those of libvirt about a migration.

    Without access to QEMU's events, libvirt's replace them. `completed` has libvirt's figures of the completed job,
    `stopped` says how the guest stopped.
    """

    def __init__(self) -> None:
        self.of_qemu, self.of_libvirt = Events(), Events()
        self.completed: Mapping[str, Any] | None = None
        self.stopped = ""
        self._stand_in = False
        self._registered: list[Callable[[], None]] = []

    def register(self, binding: Binding, connection: Any, guest: Any, with_monitor: bool) -> None:
        """Ask libvirt for its events; raises libvirt's errors."""
        libvirt, self._stand_in = binding.libvirt, not with_monitor
        for number, tell in (
            (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._lifecycle),
            (libvirt.VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, self._iteration),
            (libvirt.VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, self._job_completed),
        ):
            callback_id = connection.domainEventRegisterAny(guest, number, tell, None)
            self._registered.append(partial(connection.domainEventDeregisterAny, callback_id))
        if with_monitor:
            callback_id = binding.qemu.qemuMonitorEventRegister(connection, guest, None, self._qemu_event, None, 0)
            self._registered.append(partial(binding.qemu.qemuMonitorEventDeregister, connection, callback_id))

    def deregister(self) -> None:
        """Stop its events; raises libvirt's errors."""
        while self._registered:
            self._registered.pop()()

    def _qemu_event(
        self, connection: Any, guest: Any, name: str, seconds: int, microseconds: int, details: str | None, opaque: Any
    ) -> None:
        stamp = {"seconds": seconds, "microseconds": microseconds}
        try:
            data = json.loads(details) if details else {}
        except (ValueError, RecursionError):
            data = details  # Whoever takes the event refuses it.
        self.of_qemu.put({"event": name, "data": data, "timestamp": stamp})

    def _lifecycle(self, connection: Any, guest: Any, phase: int, detail: int, opaque: Any) -> None:
        name = _PHASES[phase] if phase < len(_PHASES) else str(phase)
        self.of_libvirt.put({"event": LIFECYCLE, "data": {"phase": name, "detail": detail}})
        if phase == _STOPPED:
            self.stopped = _STOPS[detail] if detail < len(_STOPS) else name
        if self._stand_in and phase in (_SUSPENDED, _RESUMED):
            self.of_qemu.put({"event": "STOP" if phase == _SUSPENDED else "RESUME", "data": {}})

    def _iteration(self, connection: Any, guest: Any, number: int, opaque: Any) -> None:
        self.of_libvirt.put({"event": ITERATION, "data": {"iteration": number}})
        if self._stand_in:
            self.of_qemu.put({"event": "MIGRATION_PASS", "data": {"pass": number}})

    def _job_completed(self, connection: Any, guest: Any, statistics: Mapping[str, Any], opaque: Any) -> None:
        self.completed = dict(statistics)
        self.of_libvirt.put({"event": JOB_COMPLETED, "data": self.completed})
