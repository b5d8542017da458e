# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest of libvirt: queried through QEMU's monitor if libvirt allows that, otherwise by the job's statistics."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

from ..basics.printable import in_a_line, quoted, shortened
from ..errors import HarnessError, UsageError
from ..qemu.answers import documented
from ..qemu.monitor import Silence
from ..trace.sample import ENDED
from .binding import Binding, binding
from .libvirt_events import Events, GuestEvents
from .libvirt_job import answer_of_job
from .observed_qemu import ConnectionGone, ObservedQemu
from .worker import Worker

_ALIVE_EVERY_S, _ALIVE_TRIES = 5, 3
"""A libvirt that answers none of this many pings counts as gone."""
_LAST_WORDS_S = 1.0
"""libvirt reports a guest's end a moment after the guest has gone."""
_MOST_NAMES = 12
_FORBIDS = "ermission denied", "system bus"


class GuestGone(ConnectionGone):
    """The guest has left this host, or has ended."""


class LibvirtGuest(ObservedQemu):
    """The guest `name` of the libvirt at `uri`.

    Raises UsageError if libvirt, the guest or the permission is missing, HostRequirementError if libvirt's binding is.
    """

    def __init__(self, uri: str, name: str, say: Callable[[str], None]) -> None:
        super().__init__(f"{in_a_line(name)} at {in_a_line(uri)}", say)
        self._uri, self._guest_name = uri, name
        self._worker = Worker()
        self._connection: Any = None
        self._guest: Any = None
        self._reads_only = self._by_monitor = False
        self._status = "none"
        self._command: tuple[str, float] | None = None
        self._binding: Binding
        self._events: GuestEvents

    @property
    def announcing(self) -> Mapping[str, Events]:
        """The guest's QEMU and libvirt."""
        return {"source": self._events.of_qemu, "libvirt": self._events.of_libvirt}

    async def _begin(self) -> None:
        self._binding, self._events = binding(), GuestEvents()
        self._connection = await self._worker.call(self._open)
        self._guest = await self._worker.call(self._look_up)
        if await self._worker.call(self._is_arriving):
            raise UsageError(
                f"{self.name} is still arriving from another host, and only the source has the figures of its "
                "migration; give the URI of the source's libvirt, such as qemu+ssh://HOST/system"
            )
        self._by_monitor = await self._worker.call(self._has_monitor)
        try:
            await self._worker.call(
                self._events.register, self._binding, self._connection, self._guest, self._by_monitor
            )
        except self._binding.libvirt.libvirtError as error:
            raise UsageError(f"libvirt at {in_a_line(self._uri)} reports no events: {_words(error)}") from None
        more = "; for that, run this as root, or as a member of the group libvirt" if self._reads_only else ""
        self._say(
            f"querying {self.name} through QEMU's monitor; libvirt notes that as a taint of the guest (custom-monitor)"
            if self._by_monitor
            else f"recording libvirt's job statistics of {self.name}, because QEMU's monitor is not allowed{more}"
        )

    async def _end(self) -> None:
        if self._connection is not None:
            async with asyncio.timeout(_LAST_WORDS_S):  # It may hang.
                await self._worker.call(self._close)

    def silence(self) -> Silence | None:
        """The unanswered command; None if there is none."""
        return None if self._command is None else Silence(self._command[0], time.monotonic() - self._command[1])

    async def execute(self, command: str, arguments: Mapping[str, object] | None = None) -> Any:
        """QMP's answer to `command`, or the same from libvirt's job.

        Raises HarnessError if it is refused, GuestGone if the guest is gone, ConnectionGone if libvirt is. If libvirt
        reports a completed migration, so does the answer, even if QEMU is gone.
        """
        self._command = command, time.monotonic()
        try:
            if not self._by_monitor:
                return await self._of_job(command)
            line = json.dumps({"execute": command, "arguments": dict(arguments or {})})
            reply = await self._worker.call(self._binding.qemu.qemuMonitorCommand, self._guest, line, 0)
        except self._binding.libvirt.libvirtError as error:
            return await self._after(error, command)
        finally:
            self._command = None
        return answer_in(self.name, command, reply)

    async def header(self) -> Mapping[str, Any]:
        """The trace's header for this guest."""
        if self._by_monitor:
            return {**await super().header(), "recorded": "by libvirt, through QEMU's monitor"}
        header: dict[str, Any] = {
            "qemu": {},
            "migrate-parameters": await self.execute("query-migrate-parameters"),
            "recorded": "by libvirt, from its statistics of the job",
        }
        described = ElementTree.fromstring(await self._worker.call(self._guest.XMLDesc))
        machine = described.find("os/type")
        if machine is not None:
            header |= {name: machine.get(name) for name in ("arch", "machine") if machine.get(name)}
        if described.get("type") == "kvm":
            header["accelerator"] = "kvm"
        return header

    async def details(self) -> Mapping[str, Any]:
        """Further fields for a recording."""
        return await super().details() if self._by_monitor else {}

    async def _of_job(self, command: str) -> Mapping[str, Any]:
        if command == "query-migrate-parameters":
            try:
                limit_ms = await self._worker.call(self._guest.migrateGetMaxDowntime)
                return {} if limit_ms is None else {"downtime-limit": limit_ms}  # None if the guest is ending.
            except self._binding.libvirt.libvirtError as error:
                if self._is_gone(error):
                    raise
                return {}
        if command == "query-status":
            return {"status": "running"}
        answer = await self._figures()
        if answer["status"] != "none" or self._status == "none":
            self._status = answer["status"]
            return answer
        if self._status in ENDED:
            return {"status": self._status}
        if completed := await self._completed():
            return completed
        runs_on = await self._runs_on()
        await self._check_connection()
        if not runs_on:
            raise self._gone_error()
        raise HarnessError(
            f"the migration of {self.name} failed or was cancelled: libvirt's job is over, and the guest still runs"
        )

    async def _figures(self) -> Mapping[str, Any]:
        """The job's figures. A job that had figures but has none now is about to end; wait for that."""
        until_s = time.monotonic() + _LAST_WORDS_S
        while True:
            answer = answer_of_job(await self._worker.call(self._guest.jobStats))
            if answer["status"] != "setup" or self._status in ("none", "setup") or time.monotonic() > until_s:
                return answer
            await asyncio.sleep(0.02)

    async def _after(self, error: Exception, command: str) -> Mapping[str, Any]:
        """Handle a libvirt error: return the figures of the completed migration, or raise."""
        await self._check_connection()
        if not self._is_gone(error) and await self._runs_on():
            raise HarnessError(f"libvirt refuses {command} on {self.name}: {_words(error)}") from None
        if (completed := await self._completed()) and command == "query-migrate":
            return completed
        raise self._gone_error() from None

    async def _check_connection(self) -> None:
        if not await self._worker.call(self._connection.isAlive):
            raise ConnectionGone(f"the connection to libvirt at {in_a_line(self._uri)} was lost") from None

    def _gone_error(self) -> GuestGone:
        how = f" ({self._events.stopped})" if self._events.stopped else ""
        return GuestGone(f"{self.name} no longer runs there{how}")

    async def _runs_on(self) -> bool:
        """Whether the guest is still there, after libvirt had time to notice its end."""
        until_s = time.monotonic() + _LAST_WORDS_S
        while not self._events.stopped and time.monotonic() < until_s:
            try:
                if not await self._worker.call(self._guest.isActive):
                    return False
            except self._binding.libvirt.libvirtError:
                return False
            await asyncio.sleep(0.02)
        return not self._events.stopped

    async def _completed(self) -> Mapping[str, Any] | None:
        """libvirt's figures of the job, if it completed."""
        until_s = time.monotonic() + _LAST_WORDS_S
        while (
            self._events.completed is None and self._events.stopped in ("", "migrated") and time.monotonic() < until_s
        ):
            await asyncio.sleep(0.02)
        return None if self._events.completed is None else answer_of_job(self._events.completed, completed=True)

    def _is_gone(self, error: Any) -> bool:
        libvirt = self._binding.libvirt
        return error.get_error_code() in (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID)

    def _open(self) -> Any:
        libvirt = self._binding.libvirt
        try:
            connection = libvirt.open(self._uri)
        except libvirt.libvirtError as error:
            connection = self._open_to_read(error)
        if (driver := connection.getType()) != "QEMU":
            connection.close()
            raise UsageError(
                f"{in_a_line(self._uri)} is libvirt's driver {driver}; expected QEMU's, such as qemu:///system"
            )
        with suppress(libvirt.libvirtError):  # Not every transport can.
            connection.setKeepAlive(_ALIVE_EVERY_S, _ALIVE_TRIES)
        return connection

    def _open_to_read(self, error: Any) -> Any:
        libvirt, why = self._binding.libvirt, _words(error)
        forbidden = (libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_AUTH_CANCELLED, libvirt.VIR_ERR_AUTH_UNAVAILABLE)
        # Without a system bus, libvirt cannot ask polkit.
        if error.get_error_code() not in forbidden and not any(text in why for text in _FORBIDS):
            raise UsageError(
                f"{in_a_line(self._uri)}: {why}; check that libvirt runs on the migration's source host, and give its "
                "URI, such as qemu:///system or qemu+ssh://HOST/system"
            ) from None
        try:
            connection = libvirt.openReadOnly(self._uri)
        except libvirt.libvirtError:
            raise UsageError(
                f"{in_a_line(self._uri)}: no permission ({why}); run this as root, or as a member of the group libvirt"
            ) from None
        self._reads_only = True
        return connection

    def _look_up(self) -> Any:
        libvirt = self._binding.libvirt
        try:
            if self._guest_name and (guest := self._connection.lookupByName(self._guest_name)).isActive():
                return guest
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise UsageError(f"libvirt at {in_a_line(self._uri)}: {_words(error)}") from None
        guests = self._connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
        there = _running(sorted(guest.name() for guest in guests))
        if not self._guest_name:
            raise UsageError(f"name a guest of {in_a_line(self._uri)}; {there}") from None
        raise UsageError(f"no guest is running as {self.name}; {there}") from None

    def _is_arriving(self) -> bool:
        """Whether this host is the destination of a migration.

        libvirt answers this at once. Until the guest has arrived, a command to its monitor would time out after 30 s.
        Source: qemu_driver.c:qemuDomainGetJobStatsInternal of libvirt 9.0.
        """
        libvirt = self._binding.libvirt
        try:
            self._guest.jobStats()
        except libvirt.libvirtError as error:
            return bool(error.get_error_code() == libvirt.VIR_ERR_OPERATION_UNSUPPORTED)
        return False

    def _has_monitor(self) -> bool:
        libvirt = self._binding.libvirt
        if self._reads_only or self._binding.qemu is None:
            return False
        try:
            self._binding.qemu.qemuMonitorCommand(self._guest, '{"execute": "query-version"}', 0)
        except libvirt.libvirtError as error:
            refused = ("OPERATION_DENIED", "ACCESS_DENIED", "NO_SUPPORT", "OPERATION_UNSUPPORTED")
            if error.get_error_code() not in {getattr(libvirt, f"VIR_ERR_{name}") for name in refused}:
                busy = error.get_error_code() == libvirt.VIR_ERR_OPERATION_TIMEOUT
                hint = "; try again when that operation of libvirt has ended" if busy else ""
                raise UsageError(f"libvirt refuses QEMU's monitor of {self.name}: {_words(error)}{hint}") from None
            return False
        return True

    def _close(self) -> None:
        self._events.deregister()
        self._connection.close()


def answer_in(who: str, command: str, reply: str) -> Any:
    """What QEMU returned in its `reply`, which libvirt hands on unseen; raises HarnessError if there is nothing."""
    try:
        message = json.loads(reply)
    except (ValueError, RecursionError):
        message = None
    match message:
        case {"return": answer}:
            return documented(who, command, answer)
        case {"error": {"desc": str(why)}}:
            raise HarnessError(f"QEMU of {who} refused {command}: {shortened(why)}")
    raise HarnessError(
        f"QEMU of {who} answers {command} with {quoted(reply)}, which no QEMU does; use QEMU 5.2 or later"
    )


def _running(names: Sequence[str]) -> str:
    if not names:
        return "none is running there: give the URI of the migration's source host"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"running there: {', '.join(map(in_a_line, names[:_MOST_NAMES]))}{more}"


def _words(error: Exception) -> str:
    return in_a_line(" ".join(str(error).split()))
