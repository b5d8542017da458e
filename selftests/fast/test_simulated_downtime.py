# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the guest was down for as long as was said: on simulated migrations, and on a link that is really slow."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.experiments import downtime as experiment
from avocado_migdowntime.experiments.downtime import downtime
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.verdict.downtime import Downtime
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.predicted_downtime import FIXED_DOWNTIME_MS, PredictionJudgement

from ..support.simulate import PAGE, Simulation, record

PAGES, BYTES_PER_MS = 6000, 12_000.0
SAID_MS = PAGES * PAGE / BYTES_PER_MS


def completed(down_ms, fixed_ms=40, limit_ms=2500.0, **simulated):
    """A migration that completes under a limit set late, with the downtime that QEMU then gives."""
    simulation = Simulation([PAGES], BYTES_PER_MS, later_limits_ms={8_000: limit_ms}, duration_ms=20_000, **simulated)
    trace = record(simulation)
    *before, last = trace.samples
    events = (
        *trace.events,
        Event(7.9, "harness", "LIMIT", {"trial": "chosen", "downtime-limit": limit_ms, "limit-from": "oracle"}),
        Event(before[-1].t_s + 0.001, "source", "STOP", {}),
    )
    header = {**trace.header, FIXED_DOWNTIME_MS: fixed_ms}
    return judge(replace(trace, samples=(*before, replace(last, downtime_ms=down_ms)), events=events, header=header))


@pytest.mark.parametrize(
    ("down_ms", "judgement"),
    [
        (SAID_MS + 40, PredictionJudgement.MATCH),
        (1.09 * SAID_MS + 40, PredictionJudgement.MATCH),
        (1.11 * SAID_MS + 40, PredictionJudgement.MISMATCH),
        (0.91 * SAID_MS + 40, PredictionJudgement.MATCH),
        (0.89 * SAID_MS + 40, PredictionJudgement.MISMATCH),
        (44, PredictionJudgement.MISMATCH),
    ],
)
def test_the_downtime_less_that_of_devices_is_held_against_what_was_said_last(down_ms, judgement):
    verdict = completed(down_ms)
    predicted = verdict.predicted_downtime
    assert predicted.judgement is judgement
    assert predicted.predicted_ms == pytest.approx(SAID_MS, rel=0.01)
    assert predicted.error == pytest.approx((down_ms - 40) / SAID_MS - 1, abs=0.01)
    assert predicted.limit_ms == 2500
    assert bool(predicted.reason) == (judgement is PredictionJudgement.MISMATCH)
    assert (verdict.passed is False) == (judgement is PredictionJudgement.MISMATCH)


def test_a_report_that_was_too_low_does_not_match():
    verdict = completed(SAID_MS + 40, estimate=lambda sync, live, rate, bw: 0.4 * sync / bw)
    assert verdict.predicted_downtime.reason == (
        f"the guest was down for {SAID_MS + 40:.0f} ms, 40 ms of them for its devices, but QEMU predicted "
        f"{verdict.predicted_downtime.predicted_ms:.0f} ms: +150%"
    )
    assert verdict.passed is False


def test_without_the_idle_guests_downtime_there_is_nothing_to_compare():
    simulation = Simulation([PAGES], BYTES_PER_MS, later_limits_ms={8_000: 2500.0}, duration_ms=20_000)
    assert judge(record(simulation)).predicted_downtime is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "link=unix does not slow the switchover, so the downtime shows nothing; use link=shaped"),
        ({"link": "shaped"}, "max_bandwidth=41717160 is below link_rate=50000000, and QEMU lifts it at the switchover"),
    ],
)
def test_a_link_that_does_not_hold_the_migration_back_is_refused(tmp_path, given, words):
    with pytest.raises(UsageError, match=words):
        asyncio.run(downtime(parse(given), tmp_path, lambda _: None))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("rested_ms", "runs", "fixed_ms"),
    [
        ([50], 1, 50),  # Sending the region takes a second.
        ([51, 50], 2, 50),
        ([200, 3], 2, 3),
        ([200, 190], 2, 190),
        ([200, 211, 90], 3, 90),
        ([200, 150, 160], 3, 150),
        ([90, 200, 300], 3, 90),
    ],
)
def test_an_idle_guest_that_was_down_for_long_is_run_again_and_its_shortest_downtime_counts(
    tmp_path, monkeypatch, rested_ms, runs, fixed_ms
):
    left_ms, began = list(rested_ms), []

    async def run_and_judge(parameters, directory, progress, course, header=None):
        began.append((directory.name, parameters.pattern, header))
        return SimpleNamespace(downtime=Downtime(qemu_ms=None if header else left_ms.pop(0)))

    monkeypatch.setattr(experiment, "run_and_judge", run_and_judge)
    monkeypatch.setattr(experiment, "read", lambda path: SimpleNamespace(header={"link_bytes_per_s": 20 << 20}))
    told = []
    asyncio.run(downtime(parse({"link": "shaped", "max_bandwidth": "100G", "region": "20M"}), tmp_path, told.append))
    *idle, last = began
    assert idle == [(name, "idle", None) for name in ("idle", "idle-2", "idle-3")[:runs]]
    assert last == (tmp_path.name, "sequential", {"fixed_downtime_ms": fixed_ms, "tries_limits": True})
    assert [line.split()[0] for line in told] == ["first", "again", "again"][:runs] and left_ms == []
