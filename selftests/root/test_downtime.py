# SPDX-License-Identifier: GPL-2.0-or-later
"""On a link that is really slow the guest is down for as long as was said."""

import asyncio
from dataclasses import replace

import pytest

from avocado_migdowntime.experiments.downtime import DEFAULTS, downtime
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.stalls import link_idle_ms, stalled_ms
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.events import CARRIED
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.predicted_downtime import PredictionJudgement
from avocado_migdowntime.verdict.trials import ConvergenceJudgement

from ..support import documented, slow_link
from ..support.documents import DOWNTIME

pytestmark = [pytest.mark.alone, pytest.mark.qemu, pytest.mark.network, pytest.mark.usefixtures("nothing_left")]
ATTEMPTS = 5
"""On a busy host a verdict is undecided now and then, or a run does not tell how long the guest was down."""
HALTED = 0.05
"""A host that halted the run for more than this share of the downtime may be why figures of it are a tenth apart."""
AROUND_S = 0.5
"""A guest that was halted so long before it was stopped seems to be down since then."""


@pytest.fixture
def ppc64(once):
    """What a run has left, and the parameters for another one."""
    return once(documented.ran, DOWNTIME).left(), {**DEFAULTS, "arch": "ppc64", "accel": "tcg", "passes": "1"}


@pytest.fixture
def x86_64(slow_link_run):
    """The same of a run of an ordinary user."""
    return slow_link_run(), {**DEFAULTS, **slow_link.PARAMETERS}


def halted_ms(trace):
    """For how long what a trace is of was halted around the switchover: by the host, or with an idle link.

    Not all is sent when the source is done: the destination is ready when it has received it, and TCP may rest first.
    """
    stop, ready = trace.switchover_stop, trace.first_event("destination", "MIGRATION", status="completed")
    without_link = replace(trace, events=tuple(event for event in trace.events if event.name != CARRIED))
    by_host_ms = stalled_ms(without_link, stop.t_s - AROUND_S, trace.events[-1].t_s)
    return max(by_host_ms, link_idle_ms(trace, stop.t_s, ready.t_s))


def agree(down):
    """Whether QEMU, its events and the guest tell the same."""
    by_events = down.events_ms / down.qemu_ms == pytest.approx(1, abs=0.1)
    seen = down.guest_ms
    return by_events and seen is not None and seen.low / down.qemu_ms < 1.1 and seen.high / down.qemu_ms > 0.9


@pytest.mark.parametrize("arch", ["ppc64", "x86_64"])
def test_on_a_slow_link_the_guest_is_down_for_as_long_as_was_said(arch, request, tmp_path):
    directory, parameters = request.getfixturevalue(arch)
    seen = []
    while True:
        trace = read(str(directory / "trace.jsonl"))
        verdict = judge(trace)
        assert verdict.subject.split()[2] == arch
        assert verdict.passed is not False, verdict
        down = verdict.downtime
        assert down.held_ms > 0
        seen.append((verdict.passed, down, halted_ms(trace)))
        if verdict.passed and agree(down):
            break
        assert not verdict.passed or seen[-1][-1] > HALTED * down.qemu_ms, seen
        assert len(seen) < ATTEMPTS, seen
        (directory := tmp_path / str(len(seen))).mkdir()
        asyncio.run(downtime(parse(parameters), directory, lambda _: None))
    predicted = verdict.predicted_downtime
    assert predicted.judgement is PredictionJudgement.MATCH
    assert predicted.limit_ms == verdict.convergence.trials[-1].limit_ms
    assert verdict.convergence.judgement is ConvergenceJudgement.RIGHT
    # QEMU says 0 of an idle guest that was down for less than a millisecond.
    idle = [judge(read(str(path))).downtime for path in directory.glob("idle*/trace.jsonl")]
    assert predicted.fixed_ms == min(one.qemu_ms for one in idle) < 0.2 * predicted.down_ms
    assert all(one.events_ms > 0 for one in idle)
