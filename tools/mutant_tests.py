# SPDX-License-Identifier: GPL-2.0-or-later
"""How mutmut runs the tests here, so that nothing that it finds is due to a busy machine.

What fails without a change is left out, instead of killing each mutant that it reaches. Seconds are those of the CPU:
of what a test takes, so that as much is tried each time, and of what a mutant may take before it is given up.
"""

import gc
import signal
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from time import process_time
from typing import Any

import pytest
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.workers import isolation

ASLEEP_S = 900
"""A mutant that uses no CPU is given up so late, by the clock."""


class Tests(PytestRunner):
    """Runs all tests, whichever fails, where it asks which functions each of them reaches; else until one fails."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: set[str] = set()
        self._took_s: defaultdict[str, float] = defaultdict(float)
        self._all_of_them = False

    def warm_up(self) -> None:
        """Import all tests, in the process that is then copied for each mutant."""
        super().warm_up()
        gc.freeze()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note what fails; pytest calls it."""
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note how long a test takes; pytest calls it."""
        since_s = process_time()
        result = yield
        self._took_s[item.nodeid] += process_time() - since_s
        return result

    def execute_pytest(self, params: list[str], plugins: Iterable[object] = (), **others: Any) -> int:
        """Run pytest, and see what fails."""
        return super().execute_pytest(params, plugins=[*plugins, self], **others)

    def _pytest_args_regular_run(self, tests: Iterable[str]) -> list[str]:
        args = super()._pytest_args_regular_run(tests)
        return [arg for arg in args if arg != "-x"] if self._all_of_them else args

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """Try a mutant, in a process of its own; pytest's exit status."""
        signal.alarm(ASLEEP_S)
        return super().run_tests(mutant_name=mutant_name, tests=tests)

    def run_stats(self, *, tests: Iterable[str]) -> int:
        """Note how long each test takes and which functions it reaches; pytest's exit status, 0 where tests fail."""
        self._all_of_them = True
        status = super().run_stats(tests=tests)
        state().duration_by_test.update(self._took_s)
        for test in sorted(self._failed):
            print(f"left out, as it fails without a change: {test}", file=sys.__stderr__)
            state().duration_by_test.pop(test, None)
        return 0 if self._failed else status


class Runner(isolation.ForkServerRunner):
    """Tries mutants by these tests. That they pass without a change is known from when it was asked what they reach."""

    def __init__(self, processes: int) -> None:
        super().__init__(processes, Tests, {})
        isolation.register_timeout = lambda *_: None  # By the clock, and by its number although it may have ended.

    def run_clean_tests(self, tests: Iterable[str]) -> int:
        """The exit status of a run that passes."""
        return 0
