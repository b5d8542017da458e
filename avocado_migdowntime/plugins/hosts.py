# SPDX-License-Identifier: GPL-2.0-or-later
"""Spreads tests over hosts by SSH: `avocado run --spawner migdowntime-hosts`.

The hosts are those of Avocado's own remote spawner (`spawner.remote.slots`), and the same library opens the shells. It
differs from that spawner (release 113) in three ways:
- It reports the end of a test whose runner could not. There such a test is a SKIP, and the job a success.
- A lost host gets no further test, and its test runs once more on another host.
- Two tests never share a shell.
"""

import asyncio
import importlib.util
from typing import Any

from avocado.core.output import LOG_UI
from avocado.core.plugin_interfaces import Spawner
from avocado.core.spawners.common import SpawnerMixin, SpawnMethod

from ..basics.printable import in_a_line
from ..errors import UsageError
from .far_host import FarHost
from .far_run import FarRun
from .host_pool import shared
from .interrupts import raise_between_callbacks


class MigDowntimeHosts(Spawner, SpawnerMixin):
    """Runs each test on a free host."""

    name = "migdowntime-hosts"
    description = "Hosts by SSH, for migration downtime tests"
    METHODS = [SpawnMethod.STANDALONE_EXECUTABLE]  # noqa: RUF012

    def is_operational(self) -> bool:
        """Whether hosts are configured and the library that reaches them is installed."""
        why = self._lacking()
        if why:
            LOG_UI.error("migdowntime: %s", why)
        return not why

    def _lacking(self) -> str:
        missing = [name for name in ("avocado_spawner_remote", "aexpect") if importlib.util.find_spec(name) is None]
        if missing:
            return "this spawner needs the extra `hosts`; pip install avocado-framework-plugin-spawner-remote==113.*"
        if not self._slots():
            return "no host is given; name them in the configuration: [spawner.remote] slots = ['root@lab1', …]"
        if self.config.get("run.status_server_auto"):
            return "hosts need a status server; add --status-server-disable-auto --status-server-uri HOST:PORT"
        try:
            for slot in self._slots():
                FarHost(slot)
        except UsageError as error:
            return in_a_line(str(error))
        return ""

    def _slots(self) -> list[str]:
        return [slot for slot in self.config.get("spawner.remote.slots") or [] if slot]

    async def spawn_task(self, runtime_task: Any) -> bool:
        """Start the test. Avocado waits for it, or ends it, by other calls."""
        raise_between_callbacks()
        within_s = float(self.config["spawner.remote.test_timeout"])
        runtime_task.spawner_handle = FarRun(runtime_task, shared(self._slots()), within_s)
        return True

    @staticmethod
    def is_task_alive(runtime_task: Any) -> bool:
        """Whether the test is running or waiting for a host."""
        run = runtime_task.spawner_handle
        return run is not None and not run.future.done()

    async def wait_task(self, runtime_task: Any) -> None:
        """Wait until the test has ended."""
        await asyncio.wait({runtime_task.spawner_handle.future})

    async def terminate_task(self, runtime_task: Any) -> bool:
        """End the test and wait until it has cleaned up; return whether it has ended."""
        done: bool = await runtime_task.spawner_handle.end()
        return done

    @staticmethod
    async def check_task_requirements(runtime_task: Any) -> bool:
        """Nothing to check here: the host must have what the test needs."""
        return True

    @staticmethod
    async def is_requirement_in_cache(runtime_task: Any) -> bool:
        """Nothing is cached about hosts."""
        return False

    @staticmethod
    async def save_requirement_in_cache(runtime_task: Any) -> None:
        """Nothing is cached."""

    @staticmethod
    async def update_requirement_cache(runtime_task: Any, result: Any) -> None:
        """Nothing is cached."""
