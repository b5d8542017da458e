# SPDX-License-Identifier: GPL-2.0-or-later
"""The page: tests, pictures and plotly's own JavaScript in one file that loads nothing.

The template escapes everything that comes from a trace, figures are embedded as data, and the page's content security
policy allows only its own two scripts to run.

One file can be mailed, kept by a CI system, and opened from a disk, where a browser lets no page read another file. So
a page of many tests is one file, too: what it shows below a test's name stays packed until a reader opens it.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from plotly.offline import get_plotlyjs

from ...pictures.strip_plot import Strip
from ..advice import labelled as labelled_advice
from ..entry import Recorded, summed_up
from ..style import KIND_STYLES, LINES, MARKERS, STYLES
from ..verdict_text import labelled
from .figure import Part, figure, strip_figure
from .packed import packed, packed_figure

OPEN_TESTS = 50
"""Up to this many tests are shown in full at once. If there are more, each test is shown when a reader opens it."""


def page(title: str, tests: Sequence[Recorded], strips: Sequence[Strip] = ()) -> bytes:
    """The whole file, for at least one test; `strips` are the pictures of many tests together."""
    own, environment = files(__package__), _environment()
    plotly, hash_of_plotly = _plotly()
    script = own.joinpath("page.js").read_text("utf-8")
    inside = environment.get_template("test.html")
    html = environment.get_template("page.html").render(
        title=title,
        answer=summed_up(tests),
        tests=[_test_context(test, inside, len(tests) > OPEN_TESTS) for test in tests],
        any_picture=any(test.chart is not None for test in tests),
        strips=[
            {"title": strip.title, "axis": strip.axis, "within": strip.within, **_figure_context(strip_figure(strip))}
            for strip in strips
        ],
        hashes=[hash_of_plotly, _hash(script)],
        style=own.joinpath("page.css").read_text("utf-8"),
        colours={**STYLES, **{f"kind-{number}": style for number, style in enumerate(KIND_STYLES)}},
        plotly=plotly,
        script=script,
    )
    return html.encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(lines=LINES, markers=MARKERS)
    return environment


@cache
def _plotly() -> tuple[str, str]:
    """Plotly's JavaScript, packed, and its hash; cached, because packing takes longer than the rest of a page."""
    script = get_plotlyjs()
    return packed(script.encode()), _hash(script)


def _test_context(test: Recorded, inside: Template, later: bool) -> dict[str, Any]:
    verdict = test.verdict
    html = inside.render(
        name=test.name,
        labelled=labelled(verdict) if verdict is not None else [],
        picture=_figure_context(figure(test.chart)) if test.chart is not None else None,
        advice=labelled_advice(test.advice) if test.advice is not None else [],
        commands=test.commands,
        settings=test.settings,
    ).strip()
    return {
        "name": test.name,
        "status": test.status or {True: "PASS", False: "FAIL", None: "OPEN"}[test.passed],
        "verdict": verdict,
        "answer": test.answer,
        "inside": "" if later else html,
        "packed": packed(html.encode()) if later and html else "",
    }


def _figure_context(part: Part) -> dict[str, Any]:
    traces = [(index, trace["meta"]) for index, trace in enumerate(part["data"])]
    return {
        "figure": packed_figure(part),
        "panels": [(panel, list(inside)) for panel, inside in groupby(traces, _panel)],
    }


def _panel(trace: tuple[int, dict[str, str]]) -> str:
    return f"{trace[1]['panel']}, {trace[1]['unit']}".strip(", ")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
