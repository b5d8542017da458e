# SPDX-License-Identifier: GPL-2.0-or-later
"""Real guests stopped in mid-pass, and passes that leave nothing to stop in."""

import asyncio
import json

import pytest

from avocado_migdowntime.experiments.stop_now import stop_now
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.verdict.judge import judge

from ..support import documented
from ..support.documents import STOP_NOW

pytestmark = pytest.mark.alone

RUNS = 3


def event(name):
    return lambda record: record.get("event", {}).get("event") == name


def test_a_real_guest_is_stopped_and_its_memory_arrives(tmp_path, once, nothing_left):
    """It is down for as long as what is sent takes, where nothing else holds the host up: of a few runs one is."""
    given = parse({"accel": "tcg", **documented.STOPPED_AT_HALF})
    directory, ratios = once(documented.ran, STOP_NOW).left(), []
    while True:
        trace = read(str(directory / "trace.jsonl"))
        verdict = judge(trace)
        assert json.loads((directory / "verdict.json").read_text()) == json.loads(json.dumps(fields(verdict)))
        assert verdict.passed and verdict.integrity.intact and verdict.check("guest").code == "went-on", verdict
        found = verdict.ground_truth
        assert found.in_pass == pytest.approx(0.5, abs=0.1)
        bytes_per_ms = trace.header["migrate-parameters"]["max-bandwidth"] / 1000
        ratios.append(found.down_ms * bytes_per_ms / (found.rest_bytes + found.dirtied_bytes))
        if ratios[-1] == pytest.approx(1, abs=0.15) or len(ratios) == RUNS:
            break
        (directory := tmp_path / str(len(ratios))).mkdir()
        asyncio.run(stop_now(given, directory, lambda _: None))
    assert ratios[-1] == pytest.approx(1, abs=0.15), ratios
    assert found.ranked[0].name == "rest-and-dirtied"


def test_passes_that_shrink_are_not_sounded(tmp_path, nothing_left):
    given = parse({"accel": "tcg", "page_size": "4K", "region": "16M", "rate": "2000", "integrity": "no"})
    verdict = asyncio.run(stop_now(given, tmp_path, lambda _: None))
    assert verdict.ground_truth.number == 3, verdict
    assert not [event for event in read(str(tmp_path / "trace.jsonl")).events if event.name == "SOUNDING"]
