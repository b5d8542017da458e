# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs one test on one of several hosts, or on a second host if the first is lost, and reports its end."""

import asyncio
import signal
import time
from collections.abc import Mapping
from typing import Any

from avocado.core.output import LOG_JOB
from avocado.core.utils import messages

from ..basics.printable import in_a_line
from ..basics.termination import WHY_TERMINATED
from ..errors import HostRequirementError
from .ending import Ending
from .far_host import FarHost, HostLost, HostUnfit
from .host_pool import Hosts
from .lacking import RESULT_OF_STATUS
from .last_word import tell

_ATTEMPTS = 2
"""The most hosts that a test may lose: one that takes down its host must not take down all of them."""
_CLEANING_UP_S = 60.0
_READ_S = 0.1
"""A test's messages come by another connection than its end. If Avocado, when it ends a job, has read nothing of a test
that has ended, it waits for it in a busy loop; so they get this long.
"""
_LOOK_S = 0.01
_TOLD_S = 0.5
"""Within this time Avocado has read what a runner sent before it ended."""
_BY_SIGNAL = 128


class FarRun:
    """One test, from waiting for a host to its end."""

    def __init__(self, runtime_task: Any, hosts: Hosts, within_s: float) -> None:
        self._task = runtime_task.task
        self._hosts = hosts
        self._within_s = within_s
        self._ending = Ending()
        self.future = asyncio.ensure_future(self._run_and_tell())

    async def end(self) -> bool:
        """End the test and let it clean up, or keep it from starting. Returns whether it has ended."""
        await asyncio.to_thread(self._ending.ask)
        await self._hosts.look_again()
        done, _ = await asyncio.wait({self.future}, timeout=_CLEANING_UP_S)
        return bool(done)

    async def _run_and_tell(self) -> None:
        """Run the test; if its runner cannot report how it ended, report that here instead."""
        result = "error"
        try:
            result, why = await self._run()
        except Exception as error:  # Otherwise Avocado would wait forever for this test's end.
            why = str(error) or type(error).__name__
        if why:
            result = "interrupted" if self._ending.is_asked else result
            names = {"id": str(self._task.identifier), "job_id": self._task.job_id}
            end_message = {**messages.FinishedMessage.get(result, fail_reason=in_a_line(why)), **names}
            for service in self._task.status_services:
                await asyncio.to_thread(tell, service.uri, end_message)
        await self._is_told(_READ_S)

    async def _run(self) -> tuple[str, str]:
        """Return the result and the reason that the runner did not report; no reason if it reported the end."""
        arguments, lacking = self._arguments(), dict[FarHost, str]()
        result, why, lost = "error", "", 0
        while lost < _ATTEMPTS:
            host = await self._hosts.take(lambda: self._ending.is_asked, lacking)
            if host is None and self._ending.is_asked:
                return result, "the test was ended before a host was free"
            if host is None:
                return self._nowhere(result, lacking)
            LOG_JOB.info("%s runs on %s", self._task.identifier, host.name)
            try:
                status, output = await self._hosts.run(host, arguments, self._within_s, self._ending)
            except HostLost as error:
                lost += 1
                why = f"{error}; the result of the test there is unknown"
                await self._hosts.leave_out(host, str(error))
                if await self._is_told(_TOLD_S):
                    return "", ""
                if self._ending.is_asked:
                    return "error", why
            except HostUnfit as error:
                await self._hosts.leave_out(host, str(error))
                return "error", str(error)
            except HostRequirementError as error:
                await self._hosts.leave_out(host, str(error))
            else:
                if status not in RESULT_OF_STATUS:
                    return "error", await self._judged(host, status, output) if status else ""
                result, lacking[host] = RESULT_OF_STATUS[status], _last_line(output)
            finally:
                await self._hosts.give_back(host)
        return "error", why

    def _nowhere(self, result: str, lacking: Mapping[FarHost, str]) -> tuple[str, str]:
        """The result, and the reason, if each usable host lacks something: one that is not usable may have it."""
        why = "; ".join(f"{host.name}: {why}" for host, why in lacking.items())
        if len(lacking) == self._hosts.count:
            return result, f"no host has what this test needs ({why})"
        return "error", f"no host that can be used has what this test needs ({why})"

    async def _judged(self, host: FarHost, status: int, output: str) -> str:
        # If the runner was killed, another process reports the end, after the test has cleaned up.
        killed = status > _BY_SIGNAL and status != _BY_SIGNAL + signal.SIGTERM
        if await self._is_told(_CLEANING_UP_S if killed else _TOLD_S):
            return ""
        if self._ending.is_asked:
            return WHY_TERMINATED
        return f"the runner on {host.name} has ended with status {status}: {_last_line(output)}"

    async def _is_told(self, within_s: float) -> bool:
        """Whether Avocado reads the end of the test within `within_s` seconds."""
        test, until_s = str(self._task.identifier), time.monotonic() + within_s
        while test not in self._hosts.ends and time.monotonic() < until_s:
            await asyncio.sleep(_LOOK_S)
        return test in self._hosts.ends

    def _arguments(self) -> list[str]:
        kind = self._task.runnable.kind
        module = self._task.runnable.pick_runner_module_from_entry_point_kind(kind)
        if module is None:
            raise HostRequirementError(f"there is no runner for tests of the kind {kind}")
        return [module, "task-run", *self._task.get_command_args()]


def _last_line(output: str) -> str:
    return output.splitlines()[-1] if output else "it said nothing"
