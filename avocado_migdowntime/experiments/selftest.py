# SPDX-License-Identifier: GPL-2.0-or-later
"""Does this harness find faults? Judges a real QEMU with each of the known faults."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..basics import event_loop
from ..errors import HarnessError, MigDowntimeError, UsageError
from ..faults.catalogue import NamedFault, named_fault
from ..faults.expectation import expectation, in_words
from ..faults.fault_run import FaultRun
from ..faulty.launcher import write
from ..host.resources import HostResources
from ..host.workdir import work_directory
from ..parameters.table import parse
from ..parameters.values import capabilities
from ..verdict.verdict import Verdict
from .expected_downtime import expected_downtime

FAULTS = tuple(
    map(
        named_fault,
        (
            "none",
            "dirty-rate",
            "redirty",
            "live",
            *(f"factor={factor}" for factor in ("0.5", "0.9", "0.98", "1.02", "1.1", "2")),
            "kb",
            "frozen",
            "stale",
            "once-a-pass",
            "uncomputed",
            "zero",
            "limit-ignored",
            "limit-factor=0.5",
            "limit-factor=2",
            "mbps-halved",
            "bandwidth-cap-ignored",
            "auto-converge-ignored",
            "throttle-step-ignored",
            *(f"missing={field}" for field in ("expected-downtime", "ram", "mbps", "remaining", "downtime-limit")),
            "late=200",
        ),
    )
)
_SHORT = {"page_size": "4K", "integrity": "no", "time_limit": "60"}
"""Parameters of each run; with hugepages, the ends of passes would not show the downtime-limit."""
_SLOW = {"region": "18M", "max_bandwidth": "12000000"}
"""Passes of 1.5 s, so that another limit visibly cuts off a part."""
_SLOW_BY_MULTIFD = {"region": "150M", "max_bandwidth": "100M"}
"""The same. A window of 12 MB/s is no more than the packets that may go beyond it: the bandwidth would vary by half."""
_SLOWED = {"capabilities": "auto-converge", "passes": "5"}
_OWN: Mapping[str, Mapping[str, str]] = {
    "limit-ignored": {},
    "limit-factor": {"downtime_limit": "500"},
    "auto-converge-ignored": _SLOWED,
    "throttle-step-ignored": _SLOWED,
}
"""Parameters of faults that need slow passes: a limit so large that its double and its half differ visibly in where
passes end; and enough syncs, more than a second apart, for auto-converge to slow the guest by two steps.
"""
_ATTEMPTS = 2
"""On a busy host a run may be inconclusive; if it should be conclusive, it is repeated."""


def run_fault(
    fault: NamedFault,
    binary: str,
    pairs: Mapping[str, str],
    progress: Callable[[str], None],
    write_launcher: Callable[[Path, NamedFault, str], None] = write,
) -> FaultRun:
    """Run a QEMU with the fault and the parameters in `pairs`; repeat the run if it is inconclusive without need.

    `write_launcher` writes an executable that runs `binary` with the fault. Raises UsageError or HostRequirementError.
    """
    expected, parameters = expectation(fault), {**_SHORT, **pairs, **_own(fault, pairs)}
    begun_s, attempts, met = time.monotonic(), 0, False
    while not met and attempts < _ATTEMPTS:
        attempts += 1
        outcome = _outcome(fault, binary, parameters, progress, write_launcher)
        met = expected.met_by(outcome)
        if isinstance(outcome, MigDowntimeError) or not expected.left_open_by(outcome):
            break
    return FaultRun(fault, str(expected), in_words(outcome), met, attempts, time.monotonic() - begun_s)


def _own(fault: NamedFault, pairs: Mapping[str, str]) -> Mapping[str, str]:
    """The parameters that the fault needs."""
    if fault.name not in _OWN:
        return {}
    is_multifd = "multifd" in capabilities(pairs.get("capabilities", ""))
    return {**(_SLOW_BY_MULTIFD if is_multifd else _SLOW), **_OWN[fault.name]}


def _outcome(
    fault: NamedFault,
    binary: str,
    parameters: Mapping[str, str],
    progress: Callable[[str], None],
    write_launcher: Callable[[Path, NamedFault, str], None],
) -> Verdict | HarnessError:
    with HostResources() as resources, work_directory(resources) as directory:
        launcher = Path(directory, "faulty-qemu")
        write_launcher(launcher, fault, binary)
        try:
            return event_loop.run(expected_downtime(parse({**parameters, "qemu": str(launcher)}), directory, progress))
        except HarnessError as error:
            return error
        except UsageError as error:
            raise UsageError(f"{binary} with the fault {fault}: {error}") from None
