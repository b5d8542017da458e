# SPDX-License-Identifier: GPL-2.0-or-later
"""The runner of migration downtime tests: Avocado's instrumented runner plus what these tests need.

The tests get this project's settings, run one at a time on a host, and show their progress. They are always ended by
SIGTERM to their own process, so that they can clean up.
"""

import importlib
import logging
import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from avocado.core.exceptions import TestInterrupt
from avocado.core.nrunner.app import BaseRunnerApp
from avocado.core.nrunner.runner import RUNNER_RUN_CHECK_INTERVAL
from avocado.core.utils import messages
from avocado.plugins.runners.avocado_instrumented import AvocadoInstrumentedTestRunner

from ..basics.names import KIND, LACKING_FAILS, PROGRESS_LOGGER
from ..basics.printable import in_a_line, in_lines
from ..basics.resources import packaged_tests
from ..basics.termination import TERMINATION, WHY_TERMINATED
from ..errors import HostRequirementError, UsageError
from ..host.blas import use_one_thread
from ..host.one_at_a_time import alone_on_host
from ..host.parent import end_with_parent
from ..parameters.sources import NAMESPACES, of_settings, of_variant
from ..parameters.table import Parameters, parse
from .far_files import require_room, with_files
from .lacking import PLACE, unless_another_may_have_it
from .last_word import told_anyway

KILLED = "the test's process was killed; the host resources that it held were released"


def import_needed() -> None:
    """Import the modules that every such test needs."""
    use_one_thread()
    for module in ("avocado_migdowntime.avocado_test", "avocado_migdowntime.experiments.run"):
        importlib.import_module(module)


class MigDowntimeRunner(AvocadoInstrumentedTestRunner):
    """Runs one test in its own process."""

    name = "migdowntime"
    description = "Runner for migration downtime tests"
    CONFIGURATION_USED: ClassVar = [
        *AvocadoInstrumentedTestRunner.CONFIGURATION_USED,
        *NAMESPACES.values(),
        "stdout_claimed_by",
    ]

    _is_terminated = False

    def run(self, runnable: Any) -> Iterator[dict[str, Any]]:
        runnable.uri = _on_this_host(runnable.uri)
        yield from with_files(unless_another_may_have_it(self._messages(runnable)), runnable.output_dir)

    def _messages(self, runnable: Any) -> Iterator[dict[str, Any]]:
        # A terminal sends Ctrl-C to all processes of the job. Avocado reacts by SIGTERM to this process, which passes
        # it on to the test's process: only then can a test clean up. So SIGINT is ignored here, and the test's process
        # inherits that.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        AvocadoInstrumentedTestRunner.signal_handler = staticmethod(TERMINATION.note)
        _terminate_with_parent()
        # Import here, not in the test's process: then the test's time that Avocado reports is that of the migration.
        import_needed()
        # Report the start only once this test's turn has come, so that waiting does not count as its time.
        parameters = _parameters(runnable)
        others = bool(parameters.other_hosts)
        try:
            if PLACE.one_of_several and runnable.output_dir:
                require_room(runnable.output_dir)
            with alone_on_host(_quietly, parameters.time_limit, _go_on, on_others=others):
                _go_on()
                yield from super().run(runnable)
        except HostRequirementError as lacking:
            why = in_a_line(str(lacking))
            yield messages.FinishedMessage.get(parameters.lacking, fail_reason=why, fail_class=LACKING_FAILS)
        except TestInterrupt as interrupt:
            yield messages.FinishedMessage.get("interrupted", fail_reason=str(interrupt))

    def _monitor(self, queue: Any) -> Iterator[dict[str, Any]]:
        """Like Avocado's, but does not wait forever for a process that was killed.

        Avocado calls this again after it has passed SIGTERM on to the test's process.
        """
        queue._writer.close()  # So that the pipe ends with the test's process.
        while True:
            time.sleep(RUNNER_RUN_CHECK_INTERVAL)
            if not self._is_terminated:
                self._is_terminated = TERMINATION.came
                _go_on()
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
        _say_what_is_printable()
        progress = logging.getLogger(PROGRESS_LOGGER)
        if not runnable.config.get("stdout_claimed_by"):  # For example `--json -`, which Avocado's log would spoil.
            progress.addHandler(messages.RunnerLogHandler(queue, "output"))
        progress.setLevel(logging.INFO)
        AvocadoInstrumentedTestRunner._run_avocado(runnable, queue)


def _go_on() -> None:
    """Raise TestInterrupt if the runner was told to end."""
    if TERMINATION.came:
        raise TestInterrupt(WHY_TERMINATED)


def _quietly(text: str) -> None:
    """Say nothing while waiting: tests of a job wait for each other, and nobody wants a line a second about it."""


def _on_this_host(uri: str) -> str:
    """The test's path on this host; a reference made on another host may name the package's path there."""
    path, colon, test = uri.rpartition(":")
    packaged = {each.name: each for each in packaged_tests().values()}
    here = packaged.get(Path(path).name)
    return f"{here}{colon}{test}" if here is not None and not Path(path).exists() else uri


def _parameters(runnable: Any) -> Parameters:
    """The parameters of the test that are known here; invalid ones are left for the test itself to refuse."""
    nodes = (runnable.variant or {}).get("variant") or []
    with suppress(UsageError):
        variant = of_variant(item for _, environment in nodes for item in environment)
        return parse({**variant, **of_settings(runnable.config)})
    return Parameters()


def _say_what_is_printable() -> None:
    """Make everything that this process sends to Avocado encodable and printable.

    Avocado encodes what is logged. If it cannot, as with a lone surrogate in an error text of QEMU, the test's process
    ends without reporting its status, and the job waits for that forever.
    """
    running, finished = messages.GenericRunningMessage, messages.FinishedMessage
    encoded, ended = running._get_running_message.__func__, finished.get.__func__

    def of_text(kind: type, /, text: str | bytes) -> Any:
        return encoded(kind, _in_lines(text) if isinstance(text, str) else text)

    def of_end(kind: type, /, result: str, fail_reason: Any = None, **more: Any) -> Any:
        reason = fail_reason if fail_reason is None else in_a_line(_in_lines(str(fail_reason)))
        traceback = more.get("traceback")
        printable = {"traceback": _in_lines(traceback)} if isinstance(traceback, str) else {}
        return ended(kind, result, fail_reason=reason, **{**more, **printable})

    running._get_running_message, finished.get = classmethod(of_text), classmethod(of_end)


def _in_lines(text: str) -> str:
    # Avocado writes texts into CDATA sections of its xUnit file, and drops a text that contains the end mark of one.
    return in_lines(text).replace("]]>", "]]\\x3e")


@contextmanager
def _ending_what_it_started() -> Iterator[None]:
    """If an exception ends this process, end the test's process as well (for example on SIGTERM during a message to
    Avocado).

    multiprocessing waits for the test's process when this one ends, and nobody else may be there to signal it.
    """
    try:
        yield
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise


def _terminate_with_parent() -> None:
    # Avocado may be killed, and it kills a runner that takes more than a second to end.
    end_with_parent(signal.SIGTERM)


class RunnerApp(BaseRunnerApp):
    """`avocado-runner-migdowntime`."""

    PROG_NAME = "avocado-runner-migdowntime"
    PROG_DESCRIPTION = "nrunner application for migration downtime tests"
    RUNNABLE_KINDS_CAPABLE: ClassVar = [KIND]

    def command_task_run(self, args: Any) -> Any:
        """Run a task. Its end is reported even if this process is killed."""
        TERMINATION.listen()
        names = {"id": args["identifier"], **({"job_id": args["job_id"]} if args.get("job_id") else {})}
        with told_anyway(args.get("status_uri") or [], names), _ending_what_it_started():
            return super().command_task_run(args)


def main() -> None:
    """Run the application with the command line's arguments."""
    RunnerApp(print).run()


if __name__ == "__main__":
    main()
