# SPDX-License-Identifier: GPL-2.0-or-later
"""A Chart as a figure of plotly; its colours come from the page, which knows whether it is light or dark."""

from html import escape
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ...pictures.chart import STEPPED, Chart, Floats, Panel, Role, Series
from ...pictures.strip_plot import Strip
from ..style import KINDS, MARKERS, STYLES, look_of

_SHARES = {"ms": 0.5}
_OTHER_SHARE = 0.2
_GAP = 0.05
_ROW_WIDTH = 34
_LABELLED, _TOLD_APART = 40, 100
"""Passes whose numbers fit on the picture, and whose begins can be told apart."""


def figure(chart: Chart) -> go.Figure:
    """The panels below each other over one axis of time; each trace's `meta` has its role, its name and its unit."""
    drawn = go.Figure()
    top = 1.0
    for number, panel in enumerate(chart.panels, 1):
        bottom = top - _SHARES.get(panel.unit, _OTHER_SHARE)
        _panel(drawn, panel, number, (max(bottom, 0.0), top))
        top = bottom - _GAP
    _passes(drawn, chart)
    if chart.down_s is not None:
        drawn.add_shape(type="rect", yref="paper", y0=0, y1=1, x0=chart.down_s[0], x1=chart.down_s[1], name=Role.DOWN)
    drawn.update_layout(
        template=None,
        showlegend=False,
        hovermode="x unified",
        hoversubplots="axis",
        dragmode="zoom",
        margin={"l": 64, "r": 12, "t": 24, "b": 44},
        xaxis={
            "title": {"text": "seconds into the migration"},
            "range": [0, 1.01 * chart.end_s],
            "anchor": f"y{len(chart.panels)}",
            "unifiedhovertitle": {"text": "%{x:.3f} s"},
        },
    )
    return drawn


def strip_figure(strip: Strip) -> go.Figure:
    """The dots of `strip` on its rows, the first on top."""
    drawn = go.Figure()
    looks = list(MARKERS)
    for number, kind in enumerate(strip.kinds):
        look = looks[kind.shape % len(looks)]
        drawn.add_scatter(
            x=_single(100 * np.array(kind.shares)),
            y=_single(np.array(kind.heights)),
            name=escape(kind.name),
            mode="markers",
            marker={"size": 8, "symbol": look},
            opacity=0.75,
            hovertemplate=f"{escape(kind.name)}: %{{x:+.2f}} %<extra></extra>",
            meta=_meta(f"kind-{kind.colour % len(KINDS)}", kind.name, "Off by", "%", look),
            zorder=number,
        )
    if strip.within:
        within = 100 * strip.within
        drawn.add_shape(type="rect", yref="paper", y0=0, y1=1, x0=-within, x1=within, name="faint")
    rows = ["<br>".join(escape(line) for line in wrap(row, _ROW_WIDTH)) for row in strip.rows]
    drawn.update_layout(
        template=None,
        showlegend=False,
        hovermode="closest",
        height=150 + 60 * len(rows),
        margin={"l": 12, "r": 12, "t": 12, "b": 48},
        xaxis={"ticksuffix": " %", "zeroline": True},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": rows,
            "range": [len(rows) - 0.5, -0.5],
            "automargin": True,
            "fixedrange": True,
        },
    )
    return drawn


def _panel(drawn: go.Figure, panel: Panel, number: int, domain: tuple[float, float]) -> None:
    seen: dict[Role, int] = {}
    for series in panel.series:
        order = seen[series.role] = seen.get(series.role, -1) + 1
        _series(drawn, series, panel, f"y{number}", order)
    axis: dict[str, Any] = {"domain": list(domain), "hoverformat": ",.1f"}
    if panel.top:
        axis["range"] = [0, panel.top]
    drawn.update_layout({f"yaxis{number}": axis})
    drawn.add_annotation(
        text=escape(f"{panel.title}, {panel.unit}"), showarrow=False, x=0, xref="paper", xanchor="left", y=domain[1],
        yref="paper", yanchor="bottom",
    )  # fmt: skip


def _series(drawn: go.Figure, series: Series, panel: Panel, yaxis: str, order: int) -> None:
    style, look = STYLES[series.role], look_of(series.role, order)
    points = look in MARKERS
    line = {"width": style.width, "shape": "hv" if series.role in STEPPED else "linear"}
    errors: dict[str, Any] = {}
    text = f"{escape(series.name)}: %{{y}} {escape(panel.unit)}<extra></extra>"
    if series.low is not None and series.high is not None:
        between = "from %{customdata[0]:,.1f} to %{customdata[1]:,.1f}"
        text = text.replace("<extra>", f", {between}<extra>")
        errors["customdata"] = np.column_stack([_single(series.low), _single(series.high)])
        if points:
            errors["error_y"] = {
                "type": "data",
                "array": _single(series.high - series.values),
                "arrayminus": _single(series.values - series.low),
                "thickness": 1,
                "width": 3,
            }
    drawn.add_scatter(
        x=_single(series.t_s),
        y=_single(series.values),
        yaxis=yaxis,
        name=escape(series.name),
        mode="markers" if points else "lines",
        line=line if points else {**line, "dash": look},
        marker={"size": style.size, "symbol": look} if points else None,
        opacity=style.opacity,
        zorder=style.order,
        connectgaps=False,
        hovertemplate=text,
        meta=_meta(series.role, series.name, panel.title, panel.unit, look),
        **errors,
    )


def _passes(drawn: go.Figure, chart: Chart) -> None:
    """Where passes begin: lines across all panels."""
    begins_s = np.array([at_s for _, at_s in chart.begins_s])
    gaps = np.full_like(begins_s, np.nan)
    drawn.add_scatter(
        x=_single(np.column_stack([begins_s, begins_s, gaps]).ravel()),
        y=_single(np.column_stack([np.zeros_like(gaps), np.ones_like(gaps), gaps]).ravel()),
        yaxis="y9",
        name="passes",
        mode="lines",
        line={"width": 1},
        hoverinfo="skip",
        meta=_meta("pass", "where a pass begins", "Time", "", "solid", shown=len(begins_s) <= _TOLD_APART),
    )
    drawn.update_layout(yaxis9={"domain": [0, 1], "range": [0, 1], "visible": False, "fixedrange": True})
    if len(begins_s) > _LABELLED:
        return
    for number, at_s in chart.begins_s:
        drawn.add_annotation(
            text=str(number), showarrow=False, x=at_s, xanchor="left", y=1, yref="paper", yanchor="bottom",
            yshift=-16, font={"size": 10}, hovertext=f"pass {number}",
        )  # fmt: skip


def _meta(role: str, name: str, panel: str, unit: str, look: str, shown: bool = True) -> dict[str, Any]:
    """What the page knows of a curve; one that is not `shown` waits for its box to be ticked."""
    return {"role": role, "name": name, "panel": panel, "unit": unit, "look": look, "shown": shown}


def _single(values: Floats) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Single precision: a seventh digit is not seen, and half the bytes."""
    return values.astype(np.float32)
