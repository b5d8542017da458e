# SPDX-License-Identifier: GPL-2.0-or-later
"""The experiments by the names of their tests, for use without Avocado."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..basics.alike import meant
from ..errors import UsageError
from ..parameters.table import Parameters
from ..verdict.verdict import Verdict
from . import convergence, downtime, stop_now
from .expected_downtime import expected_downtime


@dataclass(frozen=True)
class Experiment:
    """An experiment with a pair of QEMUs, as in `run.run_and_judge`, and its default parameters."""

    run: Callable[[Parameters, Path, Callable[[str], None]], Coroutine[Any, Any, Verdict]]
    defaults: Mapping[str, str] = field(default_factory=dict)


EXPERIMENTS: Mapping[str, Experiment] = {
    "convergence": Experiment(convergence.convergence, convergence.DEFAULTS),
    "downtime": Experiment(downtime.downtime, downtime.DEFAULTS),
    "expected-downtime": Experiment(expected_downtime),
    "hugepage-idle": Experiment(downtime.downtime, downtime.HUGEPAGE_IDLE),
    "stop-now": Experiment(stop_now.stop_now, stop_now.DEFAULTS),
}
"""One for each packaged test."""


def named_experiment(name: str) -> Experiment:
    """The experiment of that test; raises UsageError if there is none."""
    if name not in EXPERIMENTS:
        raise UsageError(f"there is no test {name}; {meant(name, EXPERIMENTS)}")
    return EXPERIMENTS[name]
