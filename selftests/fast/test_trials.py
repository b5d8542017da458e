# SPDX-License-Identifier: GPL-2.0-or-later
"""What limits that are tried come to, on simulated migrations: of a correct QEMU, and of faulty ones."""

import re
from dataclasses import replace

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from avocado_migdowntime.verdict.trials import ConvergenceJudgement
from avocado_migdowntime.verdict.verdict import Judgement

from ..support import trials
from ..support.simulate import Simulation, random_writes, record
from ..support.trials import BYTES_PER_MS, NEEDED_MS, PAGES, under


def tried(*arguments, **simulated):
    """The verdict on a guest that rewrites its region in every pass, under one limit after the other."""
    return judge(trials.tried(*arguments, **simulated))


def test_limits_that_do_what_they_should_are_right():
    verdict = tried()
    found = verdict.convergence
    assert (found.judgement, found.reason) == (ConvergenceJudgement.RIGHT, "")
    assert found.needed_ms == pytest.approx(NEEDED_MS, rel=0.01)
    assert [(one.limit_ms, one.completed) for one in found.trials] == [(300, False), (1000, False), (2500, True)]
    assert [one.passes >= 3 for one in found.trials] == [True, True, False]
    assert found.trials[1].limit_verdict is LimitJudgement.RESPECTED
    assert found.trials[1].effective_limit_ms == pytest.approx(1000, rel=0.12)
    assert verdict.passed


def test_a_limit_chosen_from_a_report_that_is_too_low_fails_in_the_users_words():
    chosen = {8_000: ("chosen", 1000.0)}
    verdict = tried(chosen, "reported", estimate=lambda sync, live, rate, bw: 0.4 * sync / bw, duration_ms=20_000)
    assert verdict.passed is False
    passes = verdict.convergence.trials[0].passes
    reported, needed = f"{0.4 * NEEDED_MS:.0f}", f"{verdict.convergence.needed_ms:.0f}"
    assert passes >= 5
    assert verdict.convergence.reason == (
        f"QEMU reported {reported} ms; with a downtime-limit of 1000 ms {passes} passes did not converge; "
        f"{needed} ms were needed"
    )


def test_a_qemu_that_ignores_the_limit_does_not_converge_under_the_chosen_one():
    verdict = tried({8_000: ("chosen", 2500.0)}, used_limit_ms=300.0)
    assert verdict.convergence.judgement is ConvergenceJudgement.WRONG
    assert "with a downtime-limit of 2500 ms" in verdict.convergence.reason and verdict.passed is False


def test_a_qemu_that_ends_its_passes_by_another_limit_is_wrong():
    verdict = tried({8_000: ("below", 1000.0)}, used_limit_ms=300.0)
    assert verdict.convergence.judgement is ConvergenceJudgement.WRONG
    assert verdict.convergence.reason.startswith("under a downtime-limit of 1000 ms: a pass went on until ")


def test_a_guest_that_dirties_less_in_shorter_passes_leaves_it_open():
    workload = random_writes(PAGES, 6.0)
    verdict = tried({12_000: ("below", 1500.0)}, workload=workload, duration_ms=40_000)
    assert verdict.convergence.trials[0].completed
    assert verdict.convergence.judgement is ConvergenceJudgement.INCONCLUSIVE
    assert verdict.convergence.reason.endswith("ms were needed: shorter passes may have dirtied less")


def test_a_limit_that_is_too_small_and_does_is_wrong():
    trace, limit = under(2500.0)
    found = judge(replace(trace, events=(*trace.events, limit))).convergence
    assert found.judgement is ConvergenceJudgement.WRONG
    assert re.fullmatch(r"it converged under a downtime-limit of 300 ms, although 2\d{3} ms were needed", found.reason)


def test_a_bandwidth_that_rose_lets_a_smaller_limit_do():
    """QEMU decides as soon as it has measured it, so that only samples of the switchover show it."""
    trace, limit = under(300.0, later={25_000: 90_000.0})
    final = trace.samples[-1]
    switching = replace(final, status="active", ram=replace(final.ram, mbps=720.0))
    samples = (*trace.samples[:-1], switching, replace(final, t_s=final.t_s + 0.02))
    found = judge(replace(trace, samples=samples, events=(*trace.events, limit))).convergence
    assert found.trials[0].completed and found.judgement is ConvergenceJudgement.INCONCLUSIVE
    assert found.reason.endswith(" ms were needed: the bandwidth rose from 12.0 to 90.0 MB/s")


@pytest.mark.parametrize(
    ("set_before_s", "reason"),
    [
        (-0.01, "no limit was tried: "),
        (0.05, "QEMU may have decided to by the previous limit, just before this one was set"),
    ],
)
def test_a_guest_that_is_stopped_as_a_limit_is_set_may_have_been_by_the_one_before(set_before_s, reason):
    trace, limit = under(2500.0)
    stopped_s = trace.samples[-1].t_s - 0.02
    limit = replace(limit, t_s=stopped_s - set_before_s, data={**limit.data, "since": stopped_s - 0.06})
    events = (*trace.events, Event(stopped_s, "source", "STOP", {}), limit)
    found = judge(replace(trace, events=events, header={**trace.header, "tries_limits": True})).convergence
    assert found.judgement is ConvergenceJudgement.INCONCLUSIVE and reason in found.reason, found


def test_a_guest_that_dirties_more_than_before_leaves_it_open():
    """QEMU is right at each sync: the chosen limit was enough for what was seen, and no longer is."""

    def grows(ms, unsent):
        grows.syncs += 1
        return PAGES * (1 if grows.syncs < 4 else 2)

    grows.syncs = 0
    verdict = tried({8_000: ("chosen", 2500.0)}, workload=grows, duration_ms=30_000)
    assert verdict.convergence.judgement is ConvergenceJudgement.INCONCLUSIVE, verdict
    assert verdict.convergence.reason.endswith("ms were needed before, but then the guest dirtied more")
    assert verdict.passed is None


def test_a_trace_that_ends_at_once_leaves_it_open():
    verdict = tried({7_000: ("chosen", 2500.0)}, used_limit_ms=1.0, duration_ms=7_500)
    assert verdict.convergence.reason == "the recording ends before a sync under a downtime-limit of 2500 ms"
    assert verdict.passed is None


def test_a_harness_that_came_to_try_no_limit_does_not_pass():
    trace = record(Simulation([PAGES], BYTES_PER_MS, duration_ms=8_000))
    verdict = judge(replace(trace, header={**trace.header, "tries_limits": True}))
    assert verdict.verdict is Judgement.ACCURATE and verdict.passed is None
    assert verdict.convergence.reason.startswith("no limit was tried: ")
    assert judge(trace).passed


def test_without_a_chosen_limit_it_is_left_open():
    verdict = tried({8_000: ("below", 1000.0)}, duration_ms=16_000)
    assert verdict.convergence.judgement is ConvergenceJudgement.INCONCLUSIVE
    assert verdict.convergence.reason == "the migration ended before the chosen limit was tried"


def test_a_trial_of_no_known_name_is_refused():
    with pytest.raises(UsageError, match="'trial' of the event LIMIT is 'twice' where default, below or chosen"):
        tried({8_000: ("twice", 1000.0)})
