# SPDX-License-Identifier: GPL-2.0-or-later
"""The runner of migration downtime tests: Avocado's instrumented one, and what such tests need beyond it.

They get this project's settings, run one at a time on a host, show a person how far they are, and are always ended
by SIGTERM to their own process, so that they can clean up.
"""

import importlib
import logging
import signal
import time
from collections.abc import Iterator
from typing import Any, ClassVar

from avocado.core.exceptions import TestInterrupt
from avocado.core.nrunner.app import BaseRunnerApp
from avocado.core.nrunner.runner import RUNNER_RUN_CHECK_INTERVAL
from avocado.core.utils import messages
from avocado.plugins.runners.avocado_instrumented import AvocadoInstrumentedTestRunner

from ..basics.names import KIND, PROGRESS_LOGGER
from ..host.one_at_a_time import alone_on_host
from ..host.parent import end_with_parent
from ..parameters.sources import NAMESPACES
from .last_word import told_anyway

KILLED = "the test's process was killed; what it had of the host was given back"

_NEEDED = ("avocado_migdowntime.avocado_test", "avocado_migdowntime.experiments.run")
"""What each of the tests imports."""


class MigDowntimeRunner(AvocadoInstrumentedTestRunner):
    """Runs one test in a process of its own."""

    name = "migdowntime"
    description = "Runner for migration downtime tests"
    CONFIGURATION_USED: ClassVar = [
        *AvocadoInstrumentedTestRunner.CONFIGURATION_USED,
        *NAMESPACES.values(),
        "stdout_claimed_by",
    ]

    def run(self, runnable: Any) -> Iterator[dict[str, Any]]:
        # A terminal sends Ctrl-C to all processes of the job. Avocado answers with SIGTERM to this one, which passes
        # it on to the test's: the only way that lets a test clean up. The test's process inherits this.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _terminate_with_parent()
        # Here, not in the test's process: what Avocado tells as the time of a test is that of its migration then.
        for module in _NEEDED:
            importlib.import_module(module)
        yield from super().run(runnable)

    @staticmethod
    def _monitor(queue: Any) -> Iterator[dict[str, Any]]:
        """As Avocado's, which waits forever for a process that was killed."""
        queue._writer.close()  # So that the pipe ends with the test's process.
        while True:
            time.sleep(RUNNER_RUN_CHECK_INTERVAL)
            if queue.empty():
                yield messages.RunningMessage.get()
                continue
            try:
                message = queue.get()
            except EOFError:
                yield messages.FinishedMessage.get("error", fail_reason=KILLED)
                return
            if message.get("type") != "early_state":
                yield message
            if message.get("status") == "finished":
                return

    @staticmethod
    def _run_avocado(runnable: Any, queue: Any) -> None:
        _terminate_with_parent()
        progress = logging.getLogger(PROGRESS_LOGGER)
        if not runnable.config.get("stdout_claimed_by"):  # Such as `--json -`, which Avocado would spoil.
            progress.addHandler(messages.RunnerLogHandler(queue, "output"))
        progress.setLevel(logging.INFO)
        try:
            with alone_on_host(progress.info):
                AvocadoInstrumentedTestRunner._run_avocado(runnable, queue)
        except TestInterrupt as interrupt:
            queue.put(messages.FinishedMessage.get("interrupted", fail_reason=str(interrupt)))


def _terminate_with_parent() -> None:
    # Avocado may be killed, and itself kills a runner that takes more than a second to end.
    end_with_parent(signal.SIGTERM)


class RunnerApp(BaseRunnerApp):
    """`avocado-runner-migdowntime`."""

    PROG_NAME = "avocado-runner-migdowntime"
    PROG_DESCRIPTION = "nrunner application for migration downtime tests"
    RUNNABLE_KINDS_CAPABLE: ClassVar = [KIND]

    def command_task_run(self, args: Any) -> Any:
        """Run a task; what there is to tell of it is told even if this process is killed."""
        names = {"id": args["identifier"], **({"job_id": args["job_id"]} if args.get("job_id") else {})}
        with told_anyway(args.get("status_uri") or [], names):
            return super().command_task_run(args)


def main() -> None:
    """Run the application with the arguments of the command line."""
    RunnerApp(print).run()


if __name__ == "__main__":
    main()
