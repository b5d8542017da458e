# SPDX-License-Identifier: GPL-2.0-or-later
"""Charts as one still picture: PNG, SVG or PDF, by matplotlib."""

import io
from collections.abc import Sequence
from textwrap import fill
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from ..basics import whole_file
from ..errors import UsageError
from ..pictures.chart import STEPPED, Chart, Panel, Role, Series
from .entry import Recorded
from .style import STYLES, look_of

FORMATS = ("png", "svg", "pdf")
MOST_TRACES = 12
"""The most charts in one picture: more would make it too tall."""
_INCHES = (11.0, 7.5)
_LINES = {"solid": "-", "dot": ":", "dash": "--", "dashdot": "-."}
_MARKERS = {"circle": "o", "x": "x", "cross": "P", "diamond": "D", "triangle-up": "^", "square": "s"}
_LEGEND_WIDTH, _TITLE_WIDTH = 38, 130


def save(tests: Sequence[Recorded], file: str) -> None:
    """Draw the pictures of the tests into `file`, one below the other.

    Raises UsageError if there are more than MOST_TRACES tests, a test has no picture, the file's format is unknown, or
    the file cannot be written.
    """
    if len(tests) > MOST_TRACES:
        many = f"{len(tests)} recordings are too many for a picture, {MOST_TRACES} fit"
        raise UsageError(f"{file}: {many}; write a page, .html")
    figure = Figure(figsize=(_INCHES[0], _INCHES[1] * len(tests)), layout="constrained")
    parts = figure.subfigures(len(tests), squeeze=False)[:, 0]
    for part, test in zip(parts, tests, strict=True):
        if test.chart is None:
            look = f"{test.name}: a single sample has no course to draw; record the migration, or write a page, .html"
            raise UsageError(test.fault or look)
        subject = test.verdict.subject if test.verdict is not None else test.name
        _draw(part, f"{subject}\n{test.answer}", test.chart)
    save_figure(figure, file)


def save_figure(figure: Figure, file: str) -> None:
    """Write `figure` into `file`, whole or not at all; raises UsageError if that fails."""
    kind = whole_file.ending(file, FORMATS)
    buffer = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "migdowntime"}):
        figure.savefig(buffer, format=kind, metadata={"Date": None} if kind == "svg" else None)
    whole_file.write(file, buffer.getvalue())


def _draw(figure: SubFigure, title: str, chart: Chart) -> None:
    lines = [fill(line, _TITLE_WIDTH) for line in title.splitlines()]
    figure.suptitle("\n".join(lines), fontsize=10, parse_math=False)
    shares = [2 if panel.unit == "ms" else 1 for panel in chart.panels]
    every = figure.subplots(len(chart.panels), sharex=True, squeeze=False, height_ratios=shares)[:, 0]
    for axes, panel in zip(every, chart.panels, strict=True):
        for number, at_s in chart.begins_s:
            axes.axvline(at_s, color="0.8", linewidth=0.8, zorder=0)
            if axes is every[0] and len(chart.begins_s) <= 30:
                axes.text(at_s, 1.01, f" {number}", transform=axes.get_xaxis_transform(), fontsize="x-small")
        if chart.down_s is not None:
            axes.axvspan(*chart.down_s, color=STYLES[Role.DOWN].light, alpha=0.15, linewidth=0, zorder=0)
        _panel(axes, panel)
    every[0].text(1.01, 1.01, "pass", transform=every[0].transAxes, fontsize="x-small")
    every[-1].set_xlabel("seconds into the migration")


def _panel(axes: Axes, panel: Panel) -> None:
    orders: dict[Role, int] = {}
    for series in panel.series:
        order = orders[series.role] = orders.get(series.role, -1) + 1
        _series(axes, series, order)
    axes.set_ylabel(f"{panel.title},\n{panel.unit}", parse_math=False)
    if panel.top:
        axes.set_ylim(0, panel.top)
    axes.grid(axis="y", alpha=0.25)
    if panel.series:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize="x-small", frameon=False, borderaxespad=0)


def _series(axes: Axes, series: Series, order: int) -> None:
    style, look = STYLES[series.role], look_of(series.role, order)
    line_style: dict[str, Any] = {
        "color": style.light,
        "alpha": style.opacity,
        "linewidth": style.width,
        "zorder": style.order,
        "label": fill(series.name, _LEGEND_WIDTH),
        "linestyle": _LINES.get(look, "none"),
        "marker": _MARKERS.get(look),
        "markersize": 0.7 * style.size,
    }
    if series.low is not None and series.high is not None and series.role is not Role.CONTRACT:
        spread = (series.values - series.low, series.high - series.values)
        axes.errorbar(series.t_s, series.values, yerr=spread, capsize=3, **line_style)
        return
    axes.plot(series.t_s, series.values, drawstyle="steps-post" if series.role in STEPPED else "default", **line_style)
    if series.low is not None and series.high is not None:
        axes.fill_between(series.t_s, series.low, series.high, step="post", color=style.light, alpha=0.2, linewidth=0)
