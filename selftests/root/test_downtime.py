# SPDX-License-Identifier: GPL-2.0-or-later
"""On a link that is really slow the guest is down for as long as was said."""

import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.predicted_downtime import PredictionJudgement
from avocado_migdowntime.verdict.trials import ConvergenceJudgement

from ..support import documented
from ..support.documents import DOWNTIME

pytestmark = [pytest.mark.alone, pytest.mark.qemu, pytest.mark.network, pytest.mark.usefixtures("nothing_left")]


@pytest.fixture
def ppc64(once):
    """What a run has left."""
    return once(documented.ran, DOWNTIME).left()


@pytest.fixture
def x86_64(slow_link_run):
    """What a run of an ordinary user has left."""
    return slow_link_run()


@pytest.mark.parametrize("arch", ["ppc64", "x86_64"])
def test_on_a_slow_link_the_guest_is_down_for_as_long_as_was_said(arch, request):
    directory = request.getfixturevalue(arch)
    verdict = judge(read(str(directory / "trace.jsonl")))
    assert verdict.subject.split()[2] == arch
    assert verdict.passed, verdict
    assert verdict.predicted_downtime.judgement is PredictionJudgement.MATCH
    assert 0 < verdict.predicted_downtime.fixed_ms < 0.2 * verdict.predicted_downtime.down_ms
    assert verdict.predicted_downtime.limit_ms == verdict.convergence.trials[-1].limit_ms
    assert verdict.convergence.judgement is ConvergenceJudgement.RIGHT
    assert (directory / "idle" / "trace.jsonl").exists()
    down = verdict.downtime
    assert down.held_ms > 0
    assert down.events_ms / down.qemu_ms == pytest.approx(1, abs=0.1)
    assert down.guest_ms.low / down.qemu_ms < 1.1 and down.guest_ms.high / down.qemu_ms > 0.9
