# SPDX-License-Identifier: GPL-2.0-or-later
"""The look of each kind of curve in all pictures: the colours of Okabe and Ito, lighter ones on a dark background."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..pictures.chart import POINTS, Role


@dataclass(frozen=True)
class Style:
    """Colours on a light and a dark background, and the line's width and the marker's size in points.

    `opacity` is that of the curve; a curve of higher `order` is drawn over one of lower.
    """

    light: str
    dark: str
    width: float = 1.5
    opacity: float = 1.0
    order: int = 2
    size: float = 6.0


STYLES: Mapping[Role, Style] = {
    Role.REMAINING: Style("#56a0c8", "#56b4e9", 1.2),
    Role.AT_SYNC: Style("#0072b2", "#79c7ff", order=3, size=8),
    Role.REPORTED: Style("#d55e00", "#ff8c42", 3.5, order=3),
    Role.CONTRACT: Style("#0072b2", "#79c7ff", 1.4, order=4),
    Role.OTHER: Style("#777777", "#a0a0a0", 1.0, 0.55, order=1),
    Role.LIMIT: Style("#222222", "#eeeeee", 1.3),
    Role.EFFECTIVE_LIMIT: Style("#a3417b", "#e79ac4", 1.3),
    Role.UNSENT: Style("#a3417b", "#e79ac4", 1.0),
    Role.DOWN: Style("#b00020", "#ff6b81", order=5, size=9),
    Role.DROPPED: Style("#8a6d00", "#d9b84a", 1.0, 0.8, order=5, size=4),
    Role.BANDWIDTH: Style("#00805c", "#3ddbab"),
    Role.DIRTYING: Style("#b87800", "#ffc04d"),
    Role.SOURCE_CPU: Style("#0072b2", "#79c7ff"),
    Role.VCPUS: Style("#0072b2", "#79c7ff"),
    Role.DESTINATION_CPU: Style("#d55e00", "#ff8c42"),
    Role.SOURCE_GUEST: Style("#0072b2", "#79c7ff"),
    Role.DESTINATION_GUEST: Style("#d55e00", "#ff8c42"),
}
KIND_STYLES = (
    Style("#0072b2", "#79c7ff"),
    Style("#d55e00", "#ff8c42"),
    Style("#00805c", "#3ddbab"),
    Style("#a3417b", "#e79ac4"),
    Style("#8a6d00", "#d9b84a"),
    Style("#222222", "#eeeeee"),
)
"""Styles of dots, one for each kind, such as each build."""
LINES = {"solid": "none", "dot": "2 2", "dash": "6 4", "dashdot": "8 3 2 3"}
MARKERS = {"circle": "●", "x": "✖", "cross": "✚", "diamond": "◆", "triangle-up": "▲", "square": "■"}
"""Tell apart curves of one role, by plotly's names: the dashes and gaps of lines, and the signs of points."""


def look_of(role: Role, order: int) -> str:
    """One of LINES or MARKERS for the curve number `order`, counted from 0, of a role."""
    if role is Role.AT_SYNC:
        return "circle"
    if role in POINTS:
        return _in_turn(MARKERS, order)
    if role is Role.OTHER:
        return _in_turn(LINES, order)
    return "dash" if role in (Role.LIMIT, Role.EFFECTIVE_LIMIT, Role.DIRTYING, Role.VCPUS) else "solid"


def _in_turn(looks: Mapping[str, str], order: int) -> str:
    """Take the looks in turn, except the first: other roles use that."""
    names = list(looks)[1:]
    return names[order % len(names)]
