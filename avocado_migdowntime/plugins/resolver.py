# SPDX-License-Identifier: GPL-2.0-or-later
"""Resolves references to tests of this kind: `migdowntime:NAME`, `migdowntime:` for all, or a test file."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avocado.core import exit_codes
from avocado.core.extension_manager import PluginPriority
from avocado.core.nrunner.runnable import RUNNERS_REGISTRY_STANDALONE_EXECUTABLE, Runnable
from avocado.core.output import LOG_UI
from avocado.core.plugin_interfaces import Resolver
from avocado.core.references import reference_split
from avocado.core.resolver import ReferenceResolution, ReferenceResolutionResult

from ..basics.alike import meant
from ..basics.names import KIND
from ..basics.printable import in_a_line
from ..basics.resources import packaged_tests
from ..parameters.sources import of_settings
from ..parameters.table import ACCELERATORS, ANY_ACCELERATOR, ANY_ARCHITECTURE, ARCHITECTURES
from .test_files import Tags, merged, tests_in

# Otherwise Avocado would start a process (0.4 s) and look for `avocado-runner-migdowntime` on the PATH, which may be
# that of another environment. -P: modules in the user's directory must not hide those of the package.
RUNNERS_REGISTRY_STANDALONE_EXECUTABLE.setdefault(
    KIND, [sys.executable, "-P", "-m", "avocado_migdowntime.plugins.runner"]
)


class MigDowntimeResolver(Resolver):
    """Comes before Avocado's resolver for instrumented tests, whose runner passes none of our settings to a test."""

    name = KIND
    description = "Test resolver for migration downtime tests"
    priority = PluginPriority.VERY_HIGH

    def resolve(self, reference: str) -> Any:
        scheme, colon, name = reference.partition(":")
        runnables = _named(name) if colon and scheme == KIND else _of_file(reference)
        for runnable in runnables:
            runnable.tags = merged(runnable.tags, run_with(self._parameters()))
        result = ReferenceResolutionResult.SUCCESS if runnables else ReferenceResolutionResult.NOTFOUND
        return ReferenceResolution(reference, result, runnables)

    def _parameters(self) -> dict[str, str]:
        return {**dict(self.config.get("run.test_parameters") or ()), **of_settings(self.config)}


def _named(wanted: str) -> list[Any]:
    tests = packaged_tests()
    if wanted and wanted not in tests:
        LOG_UI.error(f"There is no test {KIND}:{in_a_line(wanted)}; {meant(wanted, tests, f'{KIND}:')}")
        sys.exit(exit_codes.AVOCADO_JOB_FAIL)
    return [
        Runnable(KIND, f"{path}:{test}", identifier=f"{KIND}:{name}", tags=tags)
        for name, path in tests.items()
        if wanted in ("", name)
        for test, tags in tests_in(path).items()
    ]


def _of_file(reference: str) -> list[Any]:
    path, wanted = reference_split(reference)
    if not (path.endswith(".py") and Path(path).is_file()):
        return []
    return [
        Runnable(KIND, f"{path}:{test}", tags=tags)
        for test, tags in tests_in(Path(path)).items()
        if re.search(wanted or "", test)
    ]


def run_with(wanted: Mapping[str, str]) -> Tags:
    """Tags of the architectures and accelerators that a test may run with: those in `wanted`, or else any.

    Avocado filters tests before it combines them with variants, so a variant's own values are not known here.
    """
    architecture = wanted.get("arch", ANY_ARCHITECTURE)
    accelerator = wanted.get("accel", ANY_ACCELERATOR)
    return {
        "arch": set(ARCHITECTURES) if architecture == ANY_ARCHITECTURE else {architecture},
        "accel": set(ACCELERATORS) if accelerator == ANY_ACCELERATOR else {accelerator},
    }
