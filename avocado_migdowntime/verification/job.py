# SPDX-License-Identifier: GPL-2.0-or-later
"""The job: each variant of a test on each build in turn, repeatedly, so that all builds share the host's noise."""

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from avocado.core.exceptions import JobBaseException, OptionValidationError
from avocado.core.exit_codes import AVOCADO_JOB_INTERRUPTED
from avocado.core.job import Job
from avocado.core.nrunner.runnable import Runnable
from avocado.core.output import LOG_UI
from avocado.core.settings import settings
from avocado.core.suite import TestSuite, TestSuiteError

from ..basics.alike import meant
from ..basics.names import KIND, PAGE_OF_A_JOB
from ..basics.resources import packaged_tests
from ..comparison.compare import repetitions
from ..comparison.job_results import builds_of
from ..comparison.outcome import RunOutcome, name_on
from ..errors import HarnessError, UsageError
from ..parameters.packaged_variants import located
from ..parameters.sources import NAMESPACES, of_settings, of_variant
from ..parameters.table import ANY_ARCHITECTURE, Parameters, parse
from .builds import Build, check_hugepages, check_start, probed

_PROGRESS_EVERY_S = 2.0

ALONE = 3
"""Repetitions for a build that is compared with none."""
SPARE = 1
"""Repetitions in addition to those that a proof needs: on a busy host a run may be inconclusive."""


@dataclass(frozen=True)
class Plan:
    """What to run on each of the builds: a test in `variants`, with `parameters` that override those of the variants.

    `repeat` None means one more than a proof of a difference needs. If neither a variant nor the parameters name an
    `arch`, it is that of the first build.
    """

    builds: Sequence[Build]
    test: str
    variants: Sequence[str]
    parameters: Mapping[str, str]
    repeat: int | None
    results_directory: str | None

    def tests(self) -> list[Runnable]:
        """The runs, in order.

        Raises UsageError if the plan is invalid, UnusableBuildError because of a build, HostRequirementError if all
        runs would lack hugepages.
        """
        if self.test not in packaged_tests():
            raise UsageError(f"there is no test {self.test}; {meant(self.test, packaged_tests())}")
        config = self._config()
        try:
            variants = TestSuite.from_config(config).tests
        except (TestSuiteError, OptionValidationError) as error:
            raise UsageError(f"the variants cannot be used: {error}") from None
        all_parameters = [_parameters(variant, config) for variant in variants]
        if host := next(filter(None, (parameters.source_host for parameters in all_parameters)), None):
            raise UsageError(
                f"the builds to verify are on this host, but source_host={host} names another; leave it out, or use "
                "`judge`"
            )
        of_variants = [_with_architecture(parameters, self.builds[0]) for parameters in all_parameters]
        tests = [
            [_on(variant, build, parameters, config) for build in self.builds]
            for variant, parameters in zip(variants, of_variants, strict=True)
        ]
        if len(of_variants) == 1:
            check_hugepages(of_variants[0])
        many = len(self.builds)
        repeat = self.repeat or (ALONE if many == 1 else repetitions(len(variants), many) + SPARE)
        return [
            deepcopy(on_builds[build % many])
            for again in range(repeat)
            for on_builds in tests
            for build in range(again, again + many)
        ]

    def run(self, say: Callable[[str], None]) -> list[list[RunOutcome]]:
        """Run the plan; return the outcomes by build, and tell `say` about each run.

        Raises KeyboardInterrupt if it was interrupted, HarnessError if Avocado failed, and what `tests` raises.
        """
        tests = self.tests()
        config = self._config() | _QUIETLY
        suite = TestSuite("", config, tests)
        progress = _Progress(len(tests), say)
        with _standard_output_kept():
            try:
                with _Job(config, [suite], progress) as job, _shown_to(progress):
                    status = job.run()
            except (JobBaseException, OSError) as error:
                mend = "see if its results can be kept, or give a directory for them by --job-results-dir"
                raise HarnessError(f"Avocado could not run the job ({error}); {mend}") from None
        if status & AVOCADO_JOB_INTERRUPTED:
            raise KeyboardInterrupt
        page = Path(job.logdir, PAGE_OF_A_JOB)
        say(f"the page of all runs is {page}" if page.is_file() else f"results are in {job.logdir}")
        outcomes = {runs[0].build: runs for runs in builds_of([job.logdir])}
        return [outcomes[build.name] for build in self.builds]

    def _config(self) -> dict[str, Any]:
        """Avocado's settings for this plan."""
        values = {**of_settings(settings.as_dict()), **self.parameters}
        parse(values)
        return {
            **settings.as_dict(),
            **{NAMESPACES[name]: value for name, value in values.items()},
            "resolver.references": [f"{KIND}:{self.test}"],
            "yaml_to_mux.files": [located(name) for name in self.variants],
            "run.results_dir": self.results_directory or settings.as_dict().get("run.results_dir"),
        }


_QUIETLY = {
    "run.max_parallel_tasks": 1,
    "sysinfo.collect.enabled": False,
    "core.show": {"none"},
    "job.output.testlogs.summary_statuses": [],
}
"""One test at a time, as timing requires, and nothing on standard output, which is reserved for the answer."""


class _Job(Job):  # type: ignore[misc] # Avocado is not typed
    """A job that tells `progress` about each test that ends."""

    def __init__(self, config: Mapping[str, Any], suites: Sequence[TestSuite], progress: "_Progress") -> None:
        super().__init__(config, suites)
        self._progress = progress

    @property
    def result_events_dispatcher(self) -> "_Progress":
        self._progress.dispatcher = super().result_events_dispatcher
        return self._progress


class _Progress(logging.Handler):
    """Precedes Avocado's dispatcher of job events, passes all events on, and hears what tests say in between."""

    def __init__(self, runs: int, say: Callable[[str], None]) -> None:
        super().__init__()
        self.dispatcher: Any = None
        self._runs, self._tell = runs, say
        self._ended = 0
        self._began_s = self._told_s = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Show a line to the user; if lines come faster than they can be read, only some of them."""
        test, _, line = record.getMessage().partition(": ")
        of_a_test = test[:1].isdigit() and line.strip() and "\n" not in line
        if of_a_test and time.monotonic() > self._told_s + _PROGRESS_EVERY_S:
            self._say(f"{self._ended + 1} of {self._runs}: {line}")

    def _say(self, text: str) -> None:
        self._told_s = time.monotonic()
        self._tell(text)

    def map_method(self, name: str, *arguments: Any) -> None:
        """Handle an event, named by the plugins' method for it."""
        self.dispatcher.map_method(name, *arguments)
        if name == "start_test":
            test = arguments[-1]["name"]
            what = f"{test.name}{test.str_variant}".removeprefix(f"{KIND}:")
            self._say(f"{self._ended + 1} of {self._runs}: {what}")
        elif name == "end_test":
            self._ended += 1
            left_s = (time.monotonic() - self._began_s) / self._ended * (self._runs - self._ended)
            to_go = f", about {left_s:.0f} s to go" if self._ended < self._runs else ""
            status, why = arguments[-1]["status"], arguments[-1].get("fail_reason")
            reason = f": {why}" if why and status != "PASS" else ""
            self._say(f"{self._ended} of {self._runs}: {status}{to_go}{reason}")


def _parameters(test: Runnable, config: Mapping[str, Any]) -> Parameters:
    """The parameters from a variant and the settings; raises UsageError if they are invalid."""
    nodes = (test.variant or {}).get("variant") or []
    return parse({**of_variant(item for _, environment in nodes for item in environment), **of_settings(config)})


def _with_architecture(parameters: Parameters, build: Build) -> Parameters:
    return replace(parameters, arch=build.arch()) if parameters.arch == ANY_ARCHITECTURE else parameters


def _on(variant: Runnable, build: Build, parameters: Parameters, config: Mapping[str, Any]) -> Runnable:
    """The test of a variant on one build.

    Raises UsageError if the build has another architecture, UnusableBuildError if it has no QEMU that starts.
    """
    arch = parameters.arch
    binary = build.binary(arch)
    binary_arch = probed(binary).arch
    if binary_arch != arch:
        raise UsageError(
            f"{binary} is for {binary_arch}, and {arch} is to be tested; give --arch, or a directory that has both"
        )
    check_start(binary, parameters)
    identified = name_on(variant.identifier, build.name)
    test = Runnable(variant.kind, variant.uri, identifier=identified, variant=variant.variant)
    own_config = {NAMESPACES["arch"]: arch, NAMESPACES["qemu"]: binary, NAMESPACES["qemu_destination"]: ""}
    test.default_config = Runnable.filter_runnable_config(variant.kind, {**config, **_QUIETLY, **own_config})
    return test


@contextmanager
def _shown_to(handler: logging.Handler) -> Iterator[None]:
    """Send what Avocado would show to `handler`."""
    LOG_UI.addHandler(handler)
    try:
        yield
    finally:
        LOG_UI.removeHandler(handler)


@contextmanager
def _standard_output_kept() -> Iterator[None]:
    """Keep standard output: Avocado replaces it when nothing is to be shown."""
    before = sys.stdout
    try:
        yield
    finally:
        sys.stdout = before
