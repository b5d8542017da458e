# SPDX-License-Identifier: GPL-2.0-or-later
"""The scores of estimators as a table for a person and as JSON fields for a program."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..comparison.estimator_score import PARTS, Score
from ..verdict.mid_pass_stop import GroundTruth
from .verdict_text import columns


def summary(scores: Sequence[Score], width: int | None = None) -> str:
    """A row for each estimator: the sizes of its errors, its bias, and its median error in each part of the grid."""
    rows = [("estimator", "median", "90 %", "worst", "bias", *PARTS)]
    rows += [
        (
            score.name,
            *(f"{size:.1%}" for size in (score.median, score.ninetieth, score.worst)),
            f"{score.bias:+z.1%}",
            *(f"{score.parts[part]:.1%}" if part in score.parts else "-" for part in PARTS),
        )
        for score in scores
    ]
    best, runs = scores[0], max(score.runs for score in scores)
    guests = "1 stopped guest" if runs == 1 else f"{runs} stopped guests"
    sentence = f"{best.name} comes closest to the real downtime of {guests}: {best.median:.1%} off in the median"
    return f"{columns(rows, width=width)}\n{sentence}"


def fields(scores: Sequence[Score], truths: Sequence[GroundTruth]) -> dict[str, Any]:
    """The scores and the runs that they are based on, as plain JSON values."""
    return {"scores": [asdict(score) for score in scores], "runs": [asdict(truth) for truth in truths]}
