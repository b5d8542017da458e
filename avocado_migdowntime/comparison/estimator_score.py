# SPDX-License-Identifier: GPL-2.0-or-later
"""How far each estimator is from the ground truth, over many guests that were stopped in mid-pass."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from ..verdict.mid_pass_stop import GroundTruth

PARTS: Mapping[str, Callable[[GroundTruth], bool]] = {
    "early": lambda truth: truth.in_pass < 1 / 3,
    "middle": lambda truth: 1 / 3 <= truth.in_pass < 2 / 3,
    "late": lambda truth: truth.in_pass >= 2 / 3,
    "slow": lambda truth: truth.dirty_ratio < 1,
    "fast": lambda truth: truth.dirty_ratio >= 1,
}
"""Parts of a grid: when in the pass the guest was stopped, and whether it dirtied faster than QEMU sent."""


@dataclass(frozen=True)
class Score:
    """The score of one estimator: the median, the 90th percentile and the greatest of |estimate ÷ truth - 1|.

    `bias` is the signed median; `parts` has the median for each part of the grid with runs.
    """

    name: str
    runs: int
    median: float
    ninetieth: float
    worst: float
    bias: float
    parts: Mapping[str, float]


def scores(truths: Sequence[GroundTruth]) -> tuple[Score, ...]:
    """The score of each estimator over at least one ground truth, sorted by median."""
    names = dict.fromkeys(estimate.name for truth in truths for estimate in truth.estimates)
    return tuple(sorted((_score(name, truths) for name in names), key=lambda score: score.median))


def errors(name: str, truths: Sequence[GroundTruth]) -> list[float]:
    """The signed errors of an estimator in the order of `truths`."""
    return [estimate.error for truth in truths for estimate in truth.estimates if estimate.name == name]


def _score(name: str, truths: Sequence[GroundTruth]) -> Score:
    signed = errors(name, truths)
    sizes = [abs(error) for error in signed]
    ninetieth = quantiles(sizes, n=10, method="inclusive")[-1] if len(sizes) > 1 else sizes[0]
    parts = {
        part: [abs(error) for error in errors(name, list(filter(inside, truths)))] for part, inside in PARTS.items()
    }
    return Score(
        name=name,
        runs=len(sizes),
        median=median(sizes),
        ninetieth=ninetieth,
        worst=max(sizes),
        bias=median(signed),
        parts={part: median(part_errors) for part, part_errors in parts.items() if part_errors},
    )
