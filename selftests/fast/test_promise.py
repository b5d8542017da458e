# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the guest was down for as long as was said: on simulated migrations, and on a link that is really slow."""

import asyncio
from dataclasses import replace

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.experiments.downtime import downtime
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.predicted_downtime import FIXED_DOWNTIME_MS, PromiseJudgement
from avocado_migdowntime.verdict.trials import ConvergenceJudgement

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
        (SAID_MS + 40, PromiseJudgement.KEPT),
        (1.09 * SAID_MS + 40, PromiseJudgement.KEPT),
        (1.11 * SAID_MS + 40, PromiseJudgement.BROKEN),
        (0.91 * SAID_MS + 40, PromiseJudgement.KEPT),
        (0.89 * SAID_MS + 40, PromiseJudgement.BROKEN),
        (44, PromiseJudgement.BROKEN),
    ],
)
def test_the_downtime_less_that_of_devices_is_held_against_what_was_said_last(down_ms, judgement):
    verdict = completed(down_ms)
    promise = verdict.promise
    assert promise.judgement is judgement
    assert promise.said_ms == pytest.approx(SAID_MS, rel=0.01)
    assert promise.error == pytest.approx((down_ms - 40) / SAID_MS - 1, abs=0.01)
    assert promise.limit_ms == 2500
    assert bool(promise.reason) == (judgement is PromiseJudgement.BROKEN)
    assert (verdict.passed is False) == (judgement is PromiseJudgement.BROKEN)


def test_a_report_that_was_too_low_is_a_promise_broken():
    verdict = completed(SAID_MS + 40, estimate=lambda sync, live, rate, bw: 0.4 * sync / bw)
    assert verdict.promise.reason == (
        f"the guest was down for {SAID_MS + 40:.0f} ms, 40 ms of them for its devices, where QEMU had said "
        f"{verdict.promise.said_ms:.0f} ms: +150%"
    )
    assert verdict.passed is False


def test_without_the_idle_guests_downtime_there_is_nothing_to_compare():
    simulation = Simulation([PAGES], BYTES_PER_MS, later_limits_ms={8_000: 2500.0}, duration_ms=20_000)
    assert judge(record(simulation)).promise is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "link=unix is not really slow, so no downtime tells of it; use link=shaped"),
        ({"link": "shaped"}, "max_bandwidth=12000000 is below link_rate=50000000, and is lifted at the switchover"),
    ],
)
def test_a_link_that_does_not_hold_the_migration_back_is_refused(tmp_path, given, words):
    with pytest.raises(UsageError, match=words):
        asyncio.run(downtime(parse(given), tmp_path, lambda _: None))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arch", ["ppc64", "x86_64"])
def test_on_a_slow_link_the_guest_is_down_for_as_long_as_was_said(tmp_path, nothing_left, arch):
    given = parse({
        "accel": "tcg", "arch": arch, "page_size": "4K", "link": "shaped", "link_rate": "25M", "max_bandwidth": "100G",
        "region": "40M",
    })  # fmt: skip
    verdict = asyncio.run(downtime(given, tmp_path, lambda _: None))
    assert verdict.passed, verdict
    assert verdict.promise.judgement is PromiseJudgement.KEPT
    assert 0 < verdict.promise.fixed_ms < 0.2 * verdict.promise.down_ms
    assert verdict.promise.limit_ms == verdict.convergence.trials[-1].limit_ms
    assert verdict.convergence.judgement is ConvergenceJudgement.RIGHT
    assert (tmp_path / "idle" / "trace.jsonl").exists()
    down = verdict.downtime
    assert down.held_ms > 0
    assert down.events_ms / down.qemu_ms == pytest.approx(1, abs=0.1)
    assert down.guest_ms.low / down.qemu_ms < 1.1 and down.guest_ms.high / down.qemu_ms > 0.9
