# SPDX-License-Identifier: GPL-2.0-or-later
"""A field of an answer may have a value of any JSON type: the answer is read, or refused in a sentence."""

import json

import pytest

from ..support.fuzzed import readers

RAM = {
    **{"remaining": 90_000_000, "total": 9_000_000_000, "transferred": 50_000_000, "normal": 700, "duplicate": 10},
    **{"page-size": 4096, "dirty-pages-rate": 120, "mbps": 400, "dirty-sync-count": 3, "normal-bytes": 2_867_200},
    **{"postcopy-requests": 0, "multifd-bytes": 0, "precopy-bytes": 0, "downtime-bytes": 0, "pages-per-second": 40},
}
ANSWER = {
    **{"status": "active", "expected-downtime": 2000, "total-time": 5000, "setup-time": 1, "downtime": 5},
    **{"error-desc": "x", "remaining": 90_000_000, "cpu-throttle-percentage": 20, "socket-address": []},
    **{"vfio": {"transferred": 1}, "disk": {"remaining": 0, "total": 1, "transferred": 1}, "ram": RAM},
}


def texts(answer):
    row = json.dumps({"t": 0, "latency_ms": 1, "query-migrate": answer})
    return (
        json.dumps({"return": answer}),
        "".join(f"{line}\n" for line in (json.dumps({"return": ANSWER}), json.dumps({"return": answer}))),
        f"{row}\n{row.replace(': 0,', ': 1,', 1)}\n",
        json.dumps({"vm": {"name": "a", "migration": answer}}),
    )


@pytest.mark.long
@pytest.mark.parametrize("value", [[], [1], {}, {"a": 1}, None, True, -1, 10**400, "x"], ids=lambda one: str(one)[:9])
def test_a_value_of_any_type_ends_in_an_answer_or_a_sentence(value):
    changed = [{**ANSWER, name: value} for name in ANSWER] + [{**ANSWER, "ram": {**RAM, name: value}} for name in RAM]
    for answer in changed:
        for text in texts(answer):
            readers()["recording"](text.encode())
