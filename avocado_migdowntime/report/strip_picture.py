# SPDX-License-Identifier: GPL-2.0-or-later
"""A Strip as a still picture, by matplotlib."""

from textwrap import fill

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ..pictures.strip_plot import Strip
from .picture import save_figure
from .style import KIND_STYLES

_SHAPES = "^ovsDP"
_ROW_WIDTH = 48


def save(strip: Strip, file: str) -> None:
    """Draw `strip` into `file`; the file's ending selects PNG, SVG or PDF.

    Raises UsageError if there is no such format, or the file cannot be written.
    """
    figure = Figure(figsize=(9, 1.8 + 0.5 * len(strip.rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.axvline(0, color="black", linewidth=0.8)
    if strip.within:
        label = f"accurate: within ±{strip.within:.1%}"
        axes.axvspan(-strip.within, strip.within, color="0.5", alpha=0.15, linewidth=0, label=label)
    for kind in strip.kinds:
        axes.scatter(
            kind.shares,
            kind.heights,
            s=18,
            marker=_SHAPES[kind.shape % len(_SHAPES)],
            color=KIND_STYLES[kind.colour % len(KIND_STYLES)].light,
            alpha=0.6,
            label=fill(kind.name, _ROW_WIDTH),
        )
    labels = [fill(row, _ROW_WIDTH) for row in strip.rows]
    axes.set_yticks(range(len(labels)), labels, parse_math=False)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel(strip.axis)
    axes.set_title(strip.title)
    legend = figure.legend(loc="outside lower center", ncols=2, fontsize="small", frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    save_figure(figure, file)
