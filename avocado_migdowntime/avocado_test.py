# SPDX-License-Identifier: GPL-2.0-or-later
"""The base of the Avocado tests: parameters, the status for a verdict, and a clean end however the test ends."""

import asyncio
import json
import logging
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import cached_property
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn

from avocado import Test
from avocado.core.exceptions import TestFail, TestInterrupt, TestWarn

from .basics.event_loop import Cancellable
from .basics.names import PROGRESS_LOGGER
from .basics.termination import TERMINATION, WHY_TERMINATED
from .errors import HostRequirementError, UsageError
from .parameters.sources import of_settings, of_variant
from .parameters.table import Parameters, parse
from .report.verdict_json import fields
from .report.verdict_sentence import reason
from .report.verdict_text import figures, summary
from .verdict.verdict import Verdict

Procedure = Callable[[Parameters, Path, Callable[[str], None]], Coroutine[Any, Any, Verdict]]

_CLEANING_UP_S = 30.0
_BEGINS_S = 1.0
"""An experiment that begins within this time after SIGTERM notices it."""


class HostLacks(TestFail):
    """The host lacks something that the test needs, and its user wants that to be a failure."""


class MigrationTest(Test):
    """A test that does one experiment and ends with the status for its verdict.

    | result                                         | status                    |
    | ---------------------------------------------- | ------------------------- |
    | accurate, downtime-limit not violated          | PASS                      |
    | inaccurate, or the limit violated              | FAIL                      |
    | a damaged page, or the guest did not continue  | FAIL                      |
    | a limit did not have the expected effect       | FAIL                      |
    | another downtime than predicted                | FAIL                      |
    | inconclusive                                   | WARN, or FAIL if asked to |
    | HostRequirementError                           | CANCEL, FAIL if asked to  |
    | UsageError, HarnessError, anything else        | ERROR                     |
    """

    defaults: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Default parameters of this test."""
    timeout: float | None = None
    """The time in seconds that the class, or `-p timeout=…`, allows the test; Avocado ends it then."""
    grace_s = 30.0
    """Avocado's additional time after the experiment's own `time_limit`: by then its event loop must be stuck."""

    @cached_property
    def parameters(self) -> Parameters:
        """From the project's options and settings, then variants or -p, then the defaults. Raises UsageError."""
        return parse({**self.defaults, **of_variant(self.params.iteritems()), **of_settings(self._config)})

    def run_avocado(self) -> None:
        """Run in the main thread of the test's process; the test itself runs in another thread."""
        signal.signal(signal.SIGTERM, self._terminate)
        if TERMINATION.came:
            self._terminate()
        with suppress(UsageError):
            # The class's timeout, or that of `-p timeout=…`, counts if it is shorter.
            self.timeout = min(self.parameters.time_limit + self.grace_s, self.timeout or inf)
        super().run_avocado()

    def judge(self, experiment: Procedure) -> None:
        """Do `experiment`; return if the verdict is good, else end the test with its status."""
        self._monitor_log_to_file()
        self._experiment = Cancellable()
        if TERMINATION.came:
            raise TestInterrupt(WHY_TERMINATED)
        progress = logging.getLogger(PROGRESS_LOGGER)
        try:
            verdict = self._experiment.run(experiment(self.parameters, Path(self.outputdir), progress.info))
        except HostRequirementError as lacking:
            if self.parameters.lacking == "fail":
                raise HostLacks(str(lacking)) from None
            self.cancel(str(lacking))
        except asyncio.CancelledError:
            if TERMINATION.came:
                raise TestInterrupt(WHY_TERMINATED) from None
            raise
        self.whiteboard = json.dumps(fields(verdict))
        progress.info("\n%s\n%-10s %s", summary(verdict), "files in", self.outputdir)
        if not verdict.passed:
            self._end_with(verdict)

    def tearDown(self) -> None:
        """Stop the experiment: Avocado leaves a test that timed out or was interrupted running in its thread."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        if hasattr(self, "_experiment"):
            self._experiment.cancel()
            if not self._experiment.has_ended(_CLEANING_UP_S):
                self.log.error("the experiment has not cleaned up in %g s", _CLEANING_UP_S)
        super().tearDown()

    def _terminate(self, number: int = signal.SIGTERM, frame: object = None) -> None:
        """End the experiment and let it clean up; give up after a while if it does not end, or if there is none."""
        # Once: Avocado's second SIGTERM, or the one for its runner's death, must not interrupt the cleanup.
        signal.signal(number, signal.SIG_IGN)
        TERMINATION.came = True
        experiment = getattr(self, "_experiment", None)
        if experiment is not None:
            experiment.cancel()
        signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, _BEGINS_S if experiment is None else _CLEANING_UP_S)

    def _end_with(self, verdict: Verdict) -> NoReturn:
        # Some readers show only this sentence of Avocado's result files.
        why = f"{reason(verdict)} ({figures(verdict)})"
        if verdict.passed is False or self.parameters.inconclusive == "fail":
            self.fail(why)
        raise TestWarn(why)

    def _monitor_log_to_file(self) -> None:
        # Avocado's runner takes one message per 10 ms; QMP's debug log would delay the test.
        qmp = logging.getLogger("qemu.qmp")
        file = logging.FileHandler(Path(self.outputdir, "qmp.log"), encoding="utf-8", errors="backslashreplace")
        file.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message).10000s"))
        qmp.addHandler(file)
        qmp.propagate = False


def _interrupt(number: int, frame: object) -> NoReturn:
    raise TestInterrupt(WHY_TERMINATED)
