# SPDX-License-Identifier: GPL-2.0-or-later
"""A Chart as a plotly figure. Its colours come from the page, which knows whether it is light or dark.

A figure is what Plotly.react takes: `data` and `layout` as dicts, lists, texts and arrays of numbers. Plotly's Python
classes would check each of them again, which takes longer than the rest of a page.
"""

from collections.abc import Iterable
from html import escape
from textwrap import wrap
from typing import Any

import numpy as np

from ...pictures.chart import STEPPED, Chart, Panel, Role, Series
from ...pictures.strip_plot import Strip
from ..style import KIND_STYLES, MARKERS, STYLES, look_of

Part = dict[str, Any]
"""A figure, or a part of one."""

_SHARES = {"ms": 0.5}
_OTHER_SHARE = 0.2
_GAP = 0.05
"""The heights of panels and of the gaps between them: those that every migration has are 1 together."""
_ROW_WIDTH = 34
_LABELLED, _TOLD_APART = 40, 100
"""The most passes whose numbers fit into the picture, and the most whose starts can be told apart."""
_PASSES_AXIS = "9"


def figure(chart: Chart) -> Part:
    """The panels, one below the other, over one time axis; each trace's `meta` has its role, its name and its unit.

    The layout's `meta` has how many times as high as usual the figure is.
    """
    numbers = [str(number) if number > 1 else "" for number in range(1, len(chart.panels) + 1)]
    data: list[Part] = []
    annotations: list[Part] = []
    axes: Part = {}
    shares = [_SHARES.get(panel.unit, _OTHER_SHARE) for panel in chart.panels]
    height = sum(shares) + _GAP * (len(shares) - 1)
    top = 1.0
    for number, panel, share in zip(numbers, chart.panels, shares, strict=True):
        bottom = max(top - share / height, 0.0)
        data += _panel_series(panel, f"y{number}")
        axes[f"yaxis{number}"] = _panel_axis(panel, bottom, top)
        annotations.append(_panel_title(panel, top))
        top = bottom - _GAP / height
    data.append(_passes(chart))
    axes[f"yaxis{_PASSES_AXIS}"] = {"domain": [0, 1], "range": [0, 1], "visible": False, "fixedrange": True}
    if len(chart.begins_s) <= _LABELLED:
        annotations += [_pass_number(number, at_s) for number, at_s in chart.begins_s]
    return {
        "data": data,
        "layout": {
            "meta": {"height": height},
            "showlegend": False,
            "hovermode": "x unified",
            "hoversubplots": "axis",
            "dragmode": "zoom",
            "margin": {"l": 64, "r": 12, "t": 24, "b": 44},
            "xaxis": {
                "title": {"text": "seconds into the migration"},
                "range": [0, 1.01 * chart.end_s],
                "anchor": f"y{numbers[-1]}",
                "unifiedhovertitle": {"text": "%{x:.3f} s"},
            },
            **axes,
            "annotations": annotations,
            "shapes": [_band(*chart.down_s, Role.DOWN)] if chart.down_s is not None else [],
        },
    }


def strip_figure(strip: Strip) -> Part:
    """The dots of `strip` in its rows, the first row on top."""
    looks = list(MARKERS)
    data = []
    for number, kind in enumerate(strip.kinds):
        look = looks[kind.shape % len(looks)]
        data.append(
            {
                "type": "scatter",
                "x": 100 * np.array(kind.shares),
                "y": np.array(kind.heights),
                "name": escape(kind.name),
                "mode": "markers",
                "marker": {"size": 8, "symbol": look},
                "opacity": 0.75,
                "hovertemplate": f"{escape(kind.name)}: %{{x:+.2f}} %<extra></extra>",
                "meta": _meta(f"kind-{kind.colour % len(KIND_STYLES)}", kind.name, "Off by", "%", look),
                "zorder": number,
            }
        )
    rows = ["<br>".join(escape(line) for line in wrap(row, _ROW_WIDTH)) for row in strip.rows]
    return {
        "data": data,
        "layout": {
            "showlegend": False,
            "hovermode": "closest",
            "height": 150 + 60 * len(rows),
            "margin": {"l": 12, "r": 12, "t": 12, "b": 48},
            "xaxis": {"ticksuffix": " %", "zeroline": True},
            "yaxis": {
                "tickvals": list(range(len(rows))),
                "ticktext": rows,
                "range": [len(rows) - 0.5, -0.5],
                "automargin": True,
                "fixedrange": True,
            },
            "shapes": [_band(-100 * strip.within, 100 * strip.within, "faint")] if strip.within else [],
        },
    }


def _panel_axis(panel: Panel, bottom: float, top: float) -> Part:
    axis: Part = {"domain": [bottom, top], "hoverformat": ",.1f"}
    return {**axis, "range": [0, panel.top]} if panel.top else axis


def _panel_title(panel: Panel, top: float) -> Part:
    return {
        "text": escape(f"{panel.title}, {panel.unit}"),
        "showarrow": False,
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": top,
        "yref": "paper",
        "yanchor": "bottom",
    }


def _panel_series(panel: Panel, yaxis: str) -> Iterable[Part]:
    orders: dict[Role, int] = {}
    for series in panel.series:
        order = orders[series.role] = orders.get(series.role, -1) + 1
        yield {**_series(series, panel, look_of(series.role, order)), "yaxis": yaxis}


def _series(series: Series, panel: Panel, look: str) -> Part:
    style, points = STYLES[series.role], look in MARKERS
    line: Part = {"width": style.width, "shape": "hv" if series.role in STEPPED else "linear"}
    if points:
        dressed: Part = {"mode": "markers", "line": line, "marker": {"size": style.size, "symbol": look}}
    else:
        dressed = {"mode": "lines", "line": {**line, "dash": look}}
    value = f"{escape(series.name)}: %{{y}} {escape(panel.unit)}"
    if series.low is not None and series.high is not None:
        value += ", from %{customdata[0]:,.1f} to %{customdata[1]:,.1f}"
        dressed["customdata"] = np.column_stack([series.low, series.high])
        if points:
            dressed["error_y"] = {
                "type": "data",
                "array": series.high - series.values,
                "arrayminus": series.values - series.low,
                "thickness": 1,
                "width": 3,
            }
    return {
        "type": "scatter",
        "x": series.t_s,
        "y": series.values,
        "name": escape(series.name),
        "opacity": style.opacity,
        "zorder": style.order,
        "connectgaps": False,
        "hovertemplate": f"{value}<extra></extra>",
        "meta": _meta(series.role, series.name, panel.title, panel.unit, look),
        **dressed,
    }


def _passes(chart: Chart) -> Part:
    """Where passes begin: lines across all panels."""
    begins_s = np.array([at_s for _, at_s in chart.begins_s])
    gaps = np.full_like(begins_s, np.nan)
    are_few = len(begins_s) <= _TOLD_APART
    return {
        "type": "scatter",
        "x": np.column_stack([begins_s, begins_s, gaps]).ravel(),
        "y": np.column_stack([np.zeros_like(gaps), np.ones_like(gaps), gaps]).ravel(),
        "yaxis": f"y{_PASSES_AXIS}",
        "name": "passes",
        "mode": "lines",
        "line": {"width": 1},
        "hoverinfo": "skip",
        "meta": _meta("pass", "where a pass begins", "Time", "", "solid", is_shown=are_few),
    }


def _pass_number(number: int, at_s: float) -> Part:
    return {
        "text": str(number),
        "showarrow": False,
        "x": at_s,
        "xanchor": "left",
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "yshift": -16,
        "font": {"size": 10},
        "hovertext": f"pass {number}",
    }


def _band(begin: float, end: float, name: str) -> Part:
    """A band of the x axis over the whole height; its `name` selects its colour."""
    return {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": begin, "x1": end, "name": name}


def _meta(role: str, name: str, panel: str, unit: str, look: str, is_shown: bool = True) -> Part:
    """What the page knows about a curve; a curve that is not `is_shown` stays hidden until its box is ticked."""
    return {"role": role, "name": name, "panel": panel, "unit": unit, "look": look, "shown": is_shown}
