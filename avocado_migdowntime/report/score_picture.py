# SPDX-License-Identifier: GPL-2.0-or-later
"""The errors of estimators as a picture."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ..ground_truth import GroundTruth
from ..score import PARTS, Score, errors
from .picture import save_figure

_POINTS = {"early": ("^", -0.2), "middle": ("o", 0.0), "late": ("v", 0.2)}
_RATIOS = {"slow": "tab:blue", "fast": "tab:orange"}
_LABELS = {"slow": "dirties slower than is sent", "fast": "dirties faster than is sent"}


def save(scores: Sequence[Score], truths: Sequence[GroundTruth], file: str) -> None:
    """Draw a row of dots for each estimator, the best on top, into `file`: PNG, SVG or PDF by its ending.

    Raises BadInput where there is no such format, or the file cannot be written.
    """
    figure = Figure(figsize=(9, 1.5 + 0.6 * len(scores)), layout="constrained")
    axes = figure.add_subplot()
    axes.axvline(0, color="black", linewidth=0.8)
    for ratio, colour in _RATIOS.items():
        for point, (marker, shift) in _POINTS.items():
            chosen = [truth for truth in truths if PARTS[ratio](truth) and PARTS[point](truth)]
            dots = [(error, row + shift) for row, one in enumerate(scores) for error in errors(one.name, chosen)]
            if dots:
                label = f"{_LABELS[ratio]}, stopped {point} in the pass"
                across, down = zip(*dots, strict=True)
                axes.scatter(across, down, s=18, marker=marker, color=colour, alpha=0.6, label=label)
    axes.set_yticks(
        range(len(scores)), [f"{one.name}\n{one.median:.1%} median, {one.ninetieth:.1%} at 90 %" for one in scores]
    )
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("estimate ÷ time from the stop until the destination could run - 1")
    axes.set_title(f"{len(truths)} guests stopped in mid-pass")
    figure.legend(loc="outside lower center", ncols=2, fontsize="small", frameon=False)
    save_figure(figure, file)
