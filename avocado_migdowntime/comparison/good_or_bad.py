# SPDX-License-Identifier: GPL-2.0-or-later
"""Is a build good or bad by itself, as a bisection needs to know?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from .compare import by_variant
from .outcome import RunOutcome


class Goodness(StrEnum):
    """The result for a build."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class BisectAnswer:
    """The answer for a build, and why."""

    build: str
    goodness: Goodness
    reason: str


def goodness(runs: Sequence[RunOutcome]) -> BisectAnswer:
    """Bad if a run failed: no verdict fails by chance. Good if none did and each variant passed at least once."""
    build, count = runs[0].build, len(runs)
    failed = [run for run in runs if run.passed is False]
    if failed:
        return BisectAnswer(build, Goodness.BAD, f"{len(failed)} of {count} runs failed: {failed[0].reason}")
    for variant, runs_of_variant in by_variant(runs).items():
        if not any(run.passed for run in runs_of_variant):
            reason = f"no run of {variant} in {len(runs_of_variant)} came to a verdict: {runs_of_variant[0].reason}"
            return BisectAnswer(build, Goodness.UNKNOWN, reason)
    return BisectAnswer(build, Goodness.GOOD, f"{sum(run.passed is True for run in runs)} of {count} runs passed")
