# SPDX-License-Identifier: GPL-2.0-or-later
"""Real guests stopped in mid-pass, and passes that leave nothing to stop in."""

import asyncio

import pytest

from avocado_migdowntime.experiments.stop_now import stop_now
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.file import read
from avocado_migdowntime.verdict.judge import judge

pytestmark = pytest.mark.alone

RUNS = 3


def event(name):
    return lambda record: record.get("event", {}).get("event") == name


def test_a_real_guest_is_stopped_and_its_memory_arrives(tmp_path, nothing_left):
    """It is down for as long as what is sent takes, where nothing else holds the host up: of a few runs one is."""
    given = parse(
        {"accel": "tcg", "arch": "x86_64", "page_size": "4K", "region": "24M", "rate": "4000", "stop_at": "0.7"}
    )
    ratios = []
    while len(ratios) < RUNS and not any(ratio == pytest.approx(1, abs=0.15) for ratio in ratios):
        (directory := tmp_path / str(len(ratios))).mkdir()
        verdict = asyncio.run(stop_now(given, directory, lambda _: None))
        assert verdict.passed and verdict.integrity.intact and verdict.check("guest").code == "went-on", verdict
        found = verdict.ground_truth
        assert found.in_pass == pytest.approx(0.7, abs=0.1)
        assert judge(read(str(directory / "trace.jsonl"))) == verdict
        ratios.append(found.down_ms * given.max_bandwidth / 1000 / (found.rest_bytes + found.dirtied_bytes))
    assert ratios[-1] == pytest.approx(1, abs=0.15), ratios
    assert found.ranked[0].name == "rest-and-dirtied"


def test_passes_that_shrink_are_not_sounded(tmp_path, nothing_left):
    given = parse({"accel": "tcg", "page_size": "4K", "region": "32M", "rate": "2000", "integrity": "no"})
    verdict = asyncio.run(stop_now(given, tmp_path, lambda _: None))
    assert verdict.ground_truth.number == 3, verdict
    assert not [event for event in read(str(tmp_path / "trace.jsonl")).events if event.name == "SOUNDING"]
