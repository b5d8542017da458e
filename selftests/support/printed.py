# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers to query-migrate as programs print them: the forms that people have, each with its rounding."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rows = Sequence[tuple[float, float, Mapping[str, Any]]]
"""When each answer was asked for, s, how long it took, ms, and the answer."""


def recording(header: Mapping[str, Any], rows: Rows, events: Sequence[Mapping[str, Any]]) -> str:
    """As this package records it."""
    lines = [header, *({"t": t, "latency_ms": ms, "query-migrate": answer} for t, ms, answer in rows), *events]
    return "\n".join(map(json.dumps, lines))


FORMS: Mapping[str, Callable[[Mapping[str, Any], Rows, Sequence[Mapping[str, Any]]], str]] = {
    "recording": recording,
}
"""By name."""
