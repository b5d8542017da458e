# SPDX-License-Identifier: GPL-2.0-or-later
"""Most answers are taken as they are, without being looked at field by field: the samples are the same."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.trace.samples import Samples, SamplesWriter

ANSWER = {
    "status": "active", "expected-downtime": 2086, "total-time": 3602, "remaining": 7_600_000,
    "ram": {
        "total": 268435456, "remaining": 7581696, "page-size": 4096, "normal": 10451, "duplicate": 59380, "mbps": 96.53,
        "dirty-sync-count": 2, "dirty-pages-rate": 2894, "transferred": 43424768, "precopy-bytes": 43424700,
    },
}  # fmt: skip
RAM = ANSWER["ram"]


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        {"status": "completed", "downtime": 12, "ram": {**RAM, "remaining": 0}},
        {"status": "setup"},
        {**ANSWER, "ram": None},
        {**ANSWER, "ram": {**RAM, "remaining": -4096}},
        {**ANSWER, "ram": {**RAM, "remaining": 2**64 - 4096}},
        {**ANSWER, "ram": {**RAM, "remaining": RAM["total"] + 1}},
        {**ANSWER, "ram": {**RAM, "remaining": 2 * RAM["total"]}},
        {**ANSWER, "ram": {**RAM, "remaining": 12.5, "normal": 3.7, "transferred": 1.9}},
        {**ANSWER, "ram": {name: value for name, value in RAM.items() if name not in ("total", "precopy-bytes")}},
        {**ANSWER, "ram": {name: value for name, value in {**RAM, "remaining": 0}.items() if name != "total"}},
        {**ANSWER, "ram": {**RAM, "transferred": 2**60}},
        {**ANSWER, "xbzrle-cache": {"pages": 7, "overflow": 1, "encoding-rate": 2.5}},
        {**ANSWER, "disk": {"remaining": 77}},
        {**ANSWER, "cpu-throttle-percentage": 20},
    ],
)
def test_an_answer_makes_the_same_sample_on_the_short_way(answer):
    short = SamplesWriter()
    for t_s in (0.5, 0.75):
        short.append_answer(t_s, 1.5, answer)
    assert short.samples() == Samples.of([Sample.from_query(t_s, 1.5, answer) for t_s in (0.5, 0.75)])


@pytest.mark.parametrize(
    "answer",
    [
        {**ANSWER, "status": 7},
        {**ANSWER, "expected-downtime": "2"},
        {**ANSWER, "expected-downtime": -1},
        {**ANSWER, "ram": {**RAM, "mbps": True}},
        {**ANSWER, "ram": {**RAM, "page-size": 0}},
        {**ANSWER, "ram": {**RAM, "normal": None}},
        {**ANSWER, "ram": {**RAM, "mbps": float("inf")}},
        {**ANSWER, "ram": {**RAM, "transferred": [1]}},
        {**ANSWER, "ram": {name: value for name, value in RAM.items() if name != "duplicate"}},
    ],
)
def test_what_is_wrong_with_an_answer_is_said_on_the_short_way_too(answer):
    with pytest.raises(UsageError) as expected:
        Sample.from_query(0.5, 1.5, answer)
    with pytest.raises(UsageError) as said:
        SamplesWriter().append_answer(0.5, 1.5, answer)
    assert str(said.value) == str(expected.value)
