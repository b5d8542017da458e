# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits tried on real QEMU."""

import asyncio
import json

import pytest

from avocado_migdowntime.experiments.convergence import DEFAULTS, convergence
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from avocado_migdowntime.verdict.trials import ConvergenceJudgement

from ..support import documented
from ..support.documents import CONVERGENCE

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("nothing_left")]
ATTEMPTS = 3
"""A guest that a busy host halts dirties less than before, so that less may have been needed: that decides nothing."""
SHORT = {**DEFAULTS, "accel": "tcg", "page_size": "4K", "passes": "1", "region": "10M"}


@pytest.mark.parametrize(("arch", "limit_from"), [("ppc64", "oracle"), ("x86_64", "reported")])
def test_the_chosen_limit_lets_it_converge_and_smaller_ones_do_not(once, ci_job, arch, limit_from, tmp_path):
    """In runs whose user has chosen so: a command of the documents, and the job of CI."""
    directory = once(documented.ran, CONVERGENCE).left() if arch == "ppc64" else ci_job.left("convergence", arch)
    given = parse({**SHORT, "arch": arch, "limit_from": limit_from})
    for attempt in range(ATTEMPTS):
        if attempt:
            (directory := tmp_path / str(attempt)).mkdir()
            asyncio.run(convergence(given, directory, lambda _: None))
        verdict = judge(read(str(directory / "trace.jsonl")))
        assert json.loads((directory / "verdict.json").read_text()) == json.loads(json.dumps(fields(verdict)))
        if verdict.passed is not None:
            break
    assert verdict.subject.split()[2] == arch
    found = verdict.convergence
    assert verdict.passed and found.judgement is ConvergenceJudgement.RIGHT, verdict
    assert [trial.name for trial in found.trials] == ["default", "below", "chosen"]
    assert [trial.completed for trial in found.trials] == [False, False, True]
    default, below, chosen = found.trials
    assert default.limit_ms == 300 and default.passes >= 2
    # By what was known then; what came later may have said better what is needed.
    assert below.limit_ms == pytest.approx(0.5 * found.needed_ms, rel=0.02) and below.passes >= 2
    assert chosen.limit_ms == pytest.approx(1.2 * found.needed_ms, rel=0.02) and chosen.passes == 0
    assert below.limit_verdict is LimitJudgement.RESPECTED
    assert found.limit_from == limit_from


def test_a_migration_that_ends_before_any_trial_is_inconclusive(tmp_path):
    """Passes are so short that samples of the switchover could be taken for some."""
    given = parse(
        {"accel": "tcg", "page_size": "4K", "downtime_limit": "3000", "region": "8M", "max_bandwidth": "12000000"}
    )
    verdict = asyncio.run(convergence(given, tmp_path, lambda _: None))
    assert verdict.convergence.reason.startswith("no limit was tried") and verdict.passed is None, verdict


def test_a_migration_that_pauses_before_its_switchover_is_told_to_go_on(tmp_path):
    given = parse({"accel": "tcg", "page_size": "4K", "region": "8M", "capabilities": "pause-before-switchover"})
    verdict = asyncio.run(convergence(given, tmp_path, lambda _: None))
    assert verdict.convergence.trials[-1].completed and verdict.check("guest").code == "went-on", verdict
