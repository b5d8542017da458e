# SPDX-License-Identifier: GPL-2.0-or-later
"""The page: tests, pictures and plotly's own JavaScript in one file that loads nothing.

All that comes from a trace is escaped by the template, figures go in as data, and the page's policy lets no other
script run than the two that are its own.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from ...pictures.strip_plot import Strip
from ..advice import labelled as labelled_advice
from ..entry import Recorded, summed_up
from ..style import KIND_STYLES, LINES, MARKERS, STYLES
from ..verdict_text import labelled
from .figure import Part, figure, strip_figure


def page(title: str, tests: Sequence[Recorded], strips: Sequence[Strip] = ()) -> bytes:
    """The whole file for at least one test, with pictures of many of them together."""
    own = files(__package__)
    plotly, script = get_plotlyjs(), own.joinpath("page.js").read_text("utf-8")
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = environment.get_template("page.html").render(
        title=title,
        answer=summed_up(tests),
        tests=[_shown(test) for test in tests],
        strips=[
            {"title": strip.title, "axis": strip.axis, "within": strip.within, **_drawn(strip_figure(strip))}
            for strip in strips
        ],
        hashes=[_hash(plotly), _hash(script)],
        style=own.joinpath("page.css").read_text("utf-8"),
        colours={**STYLES, **{f"kind-{number}": style for number, style in enumerate(KIND_STYLES)}},
        lines=LINES,
        markers=MARKERS,
        plotly=plotly,
        script=script,
    )
    return shown.encode()


def _shown(test: Recorded) -> dict[str, Any]:
    verdict = test.verdict
    return {
        "name": test.name,
        "status": test.status or {True: "PASS", False: "FAIL", None: "OPEN"}[test.passed],
        "verdict": verdict,
        "answer": test.answer,
        "labelled": labelled(verdict) if verdict is not None else [],
        **(_drawn(figure(test.chart)) if test.chart is not None else {"figure": ""}),
        "advice": labelled_advice(test.advice) if test.advice is not None else [],
        "commands": test.commands,
        "settings": test.settings,
    }


def _drawn(drawn: Part) -> dict[str, Any]:
    traces = [(index, trace["meta"]) for index, trace in enumerate(drawn["data"])]
    return {
        "figure": _data(drawn),
        "panels": [(panel, list(inside)) for panel, inside in groupby(traces, _panel)],
    }


def _panel(trace: tuple[int, dict[str, str]]) -> str:
    return f"{trace[1]['panel']}, {trace[1]['unit']}".strip(", ")


def _data(drawn: Part) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(drawn).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
