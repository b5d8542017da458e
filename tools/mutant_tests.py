# SPDX-License-Identifier: GPL-2.0-or-later
"""How mutmut runs the tests here, so that no result is due to a busy machine.

Tests that fail without a mutant are left out, instead of killing each mutant that they reach. All times are CPU time:
the time of a test, so that equally much is tried each time; and the time after which a mutant is given up. One that
sleeps is given up by its Watch.
"""

import gc
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from time import process_time
from typing import Any

import pytest
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.workers import isolation

from .mutant_watch import Watch


def as_found_again(test: str) -> str:
    """The test, or all tests of its function if its id has an escaped character: after the first run in a process,
    pytest escapes an id given by `ids=` once more, and does not find this one.
    """
    return test.partition("[")[0] if "\\" in test else test


class Tests(PytestRunner):
    """Runs all tests, even after failures, when mutmut asks which functions each test reaches; else until one fails."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: set[str] = set()
        self._took_s: defaultdict[str, float] = defaultdict(float)
        self._all_of_them = False

    def warm_up(self) -> None:
        """Import all tests in the process that is then forked for each mutant."""
        super().warm_up()
        gc.freeze()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Record failures; called by pytest."""
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Record how long a test takes; called by pytest."""
        since_s = process_time()
        result = yield
        self._took_s[item.nodeid] += process_time() - since_s
        return result

    def execute_pytest(self, params: list[str], plugins: Iterable[object] = (), **others: Any) -> int:
        """Run pytest, and record failures."""
        return super().execute_pytest(params, plugins=[*plugins, self], **others)

    def _pytest_args_regular_run(self, tests: Iterable[str]) -> list[str]:
        args = super()._pytest_args_regular_run([as_found_again(test) for test in tests])
        return [arg for arg in args if arg != "-x"] if self._all_of_them else args

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """Try a mutant in a separate process; return pytest's exit status."""
        Watch().start()
        return super().run_tests(mutant_name=mutant_name, tests=tests)

    def run_stats(self, *, tests: Iterable[str]) -> int:
        """Record how long each test takes and which functions it reaches; returns pytest's status, 0 even if tests
        fail.
        """
        self._all_of_them = True
        status = super().run_stats(tests=tests)
        state().duration_by_test.update(self._took_s)
        for test in sorted(self._failed):
            print(f"left out, as it fails without a change: {test}", file=sys.__stderr__)
            state().duration_by_test.pop(test, None)
        return 0 if self._failed else status


class Runner(isolation.ForkServerRunner):
    """Tries mutants with these tests. That they pass without a mutant was seen when their functions were recorded."""

    def __init__(self, processes: int) -> None:
        super().__init__(processes, Tests, {})
        isolation.register_timeout = lambda *_: None  # It goes by the clock, and may signal an ended process's number.

    def run_clean_tests(self, tests: Iterable[str]) -> int:
        """The exit status of a passing run."""
        return 0
