# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrations of very many passes: what is kept of each is less, and what is concluded is the same."""

import json
from dataclasses import replace

import pytest

from avocado_migdowntime.basics import lazy_sequence
from avocado_migdowntime.basics.lazy_sequence import LazySequence
from avocado_migdowntime.forms.file import parse, read
from avocado_migdowntime.oracle import evidence, passes, syncs
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.report.advice import fields as of_advice
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.judged_passes import MOST_REMARKS, Remarks

from ..support.recorded import recording


@pytest.fixture
def few_are_many(monkeypatch):
    def let(count):
        for module in (passes, syncs, evidence):
            monkeypatch.setattr(module, "MANY", count)
        monkeypatch.setattr(lazy_sequence, "ITEMS", count)

    return let


@pytest.mark.parametrize(
    "name", ["ppc64-tcg-qemu-11.1", "x86_64-tcg-qemu-11.1-multifd", "ppc64-tcg-qemu-7.2-busy-host-convergence"]
)
def test_the_same_is_concluded(name, few_are_many):
    said = []
    for count in (1000, 2):
        few_are_many(count)
        seen = Evidence.of(read(str(recording(name))))
        assert isinstance(seen.passes, LazySequence) == isinstance(seen.syncs, LazySequence) == (count == 2)
        said.append(json.dumps([fields(judge(seen)), of_advice(advise(seen))]))
    assert said[0] == said[1]


def test_the_bandwidth_that_is_set_for_the_switchover_is_known_of_many(few_are_many):
    trace = read(str(recording("ppc64-tcg-qemu-11.1")))
    parameters = {**trace.header["migrate-parameters"], "avail-switchover-bandwidth": 12_000_000}
    few_are_many(2)
    syncs_of_many = Evidence.of(replace(trace, header={**trace.header, "migrate-parameters": parameters})).syncs
    assert {sync.switchover_bytes_per_ms for sync in syncs_of_many} == {12_000}


def test_what_was_made_last_is_kept(few_are_many):
    few_are_many(2)
    asked = []
    items = LazySequence(5, lambda rows: asked.append(rows) or [*rows])
    assert [items[index] for index in (0, 1, 1, 2, 3, 2, 1, 0, -1, 2, 0)] == [0, 1, 1, 2, 3, 2, 1, 0, 4, 2, 0]
    assert asked == [range(2), range(2, 4), range(4, 5), range(2)]
    assert [*items[-2:]] == [3, 4] and [*items[1::2]] == [1, 3] and len(items[1:]) == 4
    with pytest.raises(IndexError):
        items[5]


def answer(number):
    ram = {
        "total": 1 << 30, "remaining": 80_000_000, "page-size": 4096, "normal": 1000 * number, "duplicate": 0,
        "dirty-sync-count": number, "dirty-pages-rate": 10_000, "mbps": 400.0,
    }  # fmt: skip
    return {"status": "active", "total-time": 100 * number, "expected-downtime": 300, "ram": ram}


def test_passes_that_are_not_judged_for_one_reason_are_told_together():
    text = "".join(json.dumps({"return": answer(number)}) + "\n" for number in range(1, 41))
    told = [reason for reason in judge(parse(text.encode())).reasons if "not judged" in reason]
    assert told == ["passes 2 to 40 are not judged: fewer than 3 samples in it or in the previous pass"]


def test_reasons_in_turn_are_told_up_to_so_many():
    remarks = Remarks()
    for number in range(2, 102):
        remarks.add(number, f"reason {number % 2}")
    told = remarks.sentences()
    assert told[0] == "pass 2 is not judged: reason 0" and len(told) == MOST_REMARKS + 1
    assert told[-1] == "80 more passes are not judged, for similar reasons"
