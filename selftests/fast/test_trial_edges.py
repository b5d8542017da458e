# SPDX-License-Identifier: GPL-2.0-or-later
"""What limits that are tried come to on either side of each threshold, in migrations made figure by figure.

A millisecond is 10 pages; 2000 ms are needed. The passes begin 0, 3.001, 5.002 and 7.003 s into the trace.
"""

import pytest

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.verdict.limit import LimitJudgement
from avocado_migdowntime.verdict.trials import Convergence, Trial, judge_trials

from ..support.traces import MBPS, PAGE_BYTES, PAGES_PER_MS, Pass, completed, event, made, precopy

FIRST, STEADY = Pass(30_000), Pass(20_000)
NEEDED_MS = 2000.0


def tried(
    rows, trial, limit_ms, at_s=6.0, *, limit_from="oracle", needed_ms=NEEDED_MS, reported_ms=1999.0, stop_s=None
):
    """What comes of one limit that was set at `at_s`."""
    data = {"trial": trial, "downtime-limit": limit_ms, "limit-from": limit_from}
    stops = [] if stop_s is None else [event(stop_s, "source", "STOP")]
    events = sorted([event(at_s, "harness", "LIMIT", data), *stops], key=lambda one: one["t"])
    return judge_trials(Evidence.of(made(rows, events)), needed_ms, reported_ms)


def chosen(*later, limit_ms=2200, end=False, **more):
    """The same of a limit that was chosen in the third pass; `later` are those after it."""
    rows = precopy(FIRST, STEADY, STEADY, *later)
    if end:
        rows.append(completed(rows))
    return tried(rows, "chosen", limit_ms, **more)


def answer(found):
    return found.code, found.reason


@pytest.mark.parametrize(("pages", "fitted"), [(20_899, True), (20_901, False), (21_500, False)])
def test_a_sync_that_fits_all_but_a_twentieth_of_the_limit_should_have_been_the_last(pages, fitted):
    """Of the 22000 pages that 2200 ms allow."""
    found = chosen(Pass(pages))
    (trial,) = found.trials
    assert (trial.passes, trial.missed) == (1, int(fitted))
    sentence = "with a downtime-limit of 2200 ms 1 passes did not converge; 2000 ms were needed"
    assert answer(found) == (
        ("did-not-converge", sentence)
        if fitted
        else ("guest-dirtied-more", f"{sentence} before, but then the guest dirtied more")
    )


@pytest.mark.parametrize(("limit_ms", "code"), [(1999, "did-not-converge"), (2000, "guest-dirtied-more")])
def test_a_limit_below_what_is_needed_was_not_well_chosen(limit_ms, code):
    assert chosen(Pass(25_000), limit_ms=limit_ms).code == code


@pytest.mark.parametrize(
    ("limit_from", "reported_ms", "begin"),
    [
        ("oracle", 1000.4, ""),
        ("reported", 1000.4, "QEMU reported 1000 ms; "),
        ("reported", 0.0, "QEMU reported 0 ms; "),
        ("reported", None, ""),
    ],
)
@pytest.mark.parametrize(("end", "outcome"), [(False, "did not converge"), (True, "converged only later")])
def test_a_migration_that_goes_on_does_so_in_words(limit_from, reported_ms, begin, end, outcome):
    found = chosen(STEADY, STEADY, limit_from=limit_from, reported_ms=reported_ms, end=end)
    assert answer(found) == (
        "did-not-converge",
        f"{begin}with a downtime-limit of 2200 ms 2 passes {outcome}; 2000 ms were needed",
    )
    assert (found.limit_from, found.reported_ms, found.needed_ms) == (limit_from, reported_ms, NEEDED_MS)


@pytest.mark.parametrize(("seen_ms", "passes"), [(149, 0), (151, 1)])
def test_what_was_seen_for_less_than_150_ms_may_have_been_the_switchover(seen_ms, passes):
    found = chosen(Pass(20_000, 20_000 - 10 * seen_ms))
    assert found.trials[0].passes == passes
    assert answer(found) == (
        ("too-short", "the recording ends before a sync under a downtime-limit of 2200 ms")
        if not passes
        else ("did-not-converge", "with a downtime-limit of 2200 ms 1 passes did not converge; 2000 ms were needed")
    )


def test_a_limit_that_ends_the_migration_at_the_next_sync_is_right():
    assert answer(chosen(end=True)) == ("right", "")


def test_without_a_need_nothing_is_told():
    assert answer(chosen(end=True, needed_ms=None)) == (
        "need-unknown",
        "the limit needed was not known before limits were tried",
    )


def below(limit_ms=1000, set_before_stop_s=1.2, passes=(FIRST, STEADY, STEADY), mbps=MBPS, **more):
    """A migration that is stopped, and completes, in its last pass, at whose end it sends so fast."""
    rows = precopy(*passes, Pass(20_000, 18_500))
    rows[-1]["query-migrate"]["ram"]["mbps"] = mbps
    stop_s = rows[-1]["t"] + 0.01
    return tried([*rows, completed(rows)], "below", limit_ms, stop_s - set_before_stop_s, stop_s=stop_s, **more)


def doubt(found):
    """Why a limit below what is needed may have done."""
    begin = "it converged under a downtime-limit of 1000 ms, although 2000 ms were needed: "
    assert found.code == "may-have-needed-less" and found.reason.startswith(begin)
    return found.reason.removeprefix(begin)


def test_the_switchover_under_a_limit_is_held_against_it():
    (trial,) = below(limit_ms=500).trials
    assert (trial.passes, trial.completed, trial.limit_verdict) == (0, True, LimitJudgement.VIOLATED)
    (trial,) = below(limit_ms=1850).trials
    assert trial.limit_verdict is LimitJudgement.RESPECTED


SHORTER = "shorter passes may have dirtied less"
BY_THE_LIMIT_BEFORE = "QEMU may have decided to by the previous limit, just before this one was set"


@pytest.mark.parametrize(
    ("set_before_stop_s", "reason"),
    [(1.2, SHORTER), (0.1201, SHORTER), (0.11995, BY_THE_LIMIT_BEFORE), (0.05, BY_THE_LIMIT_BEFORE)],
)
def test_a_stop_within_a_burst_may_have_been_by_the_limit_before(set_before_stop_s, reason):
    assert doubt(below(set_before_stop_s=set_before_stop_s)) == reason


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (1.9, SHORTER),
        (1.91, "the bandwidth rose from 41.0 to 78.2 MB/s"),
        (2.2, "the bandwidth rose from 41.0 to 90.1 MB/s"),
    ],
)
def test_a_bandwidth_at_which_the_limit_does_but_for_a_twentieth_may_have_been_it(times, reason):
    assert doubt(below(mbps=times * MBPS)) == reason


@pytest.mark.parametrize(("since", "begun_in"), [(5.002, 2), (5.003, 3)])
def test_a_limit_is_set_in_the_pass_of_the_last_sample_before_it_may_have_held(since, begun_in):
    """The third pass is seen from 5.002 s on: what is under way then ends by two limits, and tells nothing."""
    rows = precopy(FIRST, STEADY, Pass(20_000, 9_000), STEADY)
    data = {"trial": "below", "downtime-limit": 900, "since": since}
    found = judge_trials(Evidence.of(made(rows, [event(5.003, "harness", "LIMIT", data)])), NEEDED_MS, None)
    (trial,) = found.trials
    assert trial.passes == (2 if begun_in == 2 else 1)
    assert (trial.effective_limit_ms is not None) == (begun_in == 2)


def test_a_migration_that_is_let_complete_is_under_no_trial_any_more():
    rows = precopy(FIRST, STEADY, STEADY, STEADY, Pass(20_000, 11_000))
    events = [
        event(6.0, "harness", "LIMIT", {"trial": "below", "downtime-limit": 1000}),
        event(8.0, "harness", "FINISH", {"downtime-limit": 2_000_000}),
    ]
    found = judge_trials(Evidence.of(made(rows, events)), NEEDED_MS, None)
    assert [(one.name, one.limit_ms) for one in found.trials] == [("below", 1000)]


@pytest.mark.parametrize(("at_s", "many"), [(0.0, 0), (0.001, 1), (7.003, 1), (7.004, 0)])
def test_a_limit_under_which_nothing_is_seen_or_before_which_nothing_was_is_none_that_was_tried(at_s, many):
    found = tried(precopy(FIRST, STEADY, STEADY, Pass(0)), "below", 1000, at_s)
    assert len(found.trials if found else ()) == many


@pytest.mark.parametrize(("stop_s", "tried_it"), [(6.0, True), (5.999, False)])
def test_a_limit_that_is_set_after_the_stop_was_not_tried(stop_s, tried_it):
    rows = precopy(FIRST, STEADY, Pass(20_000, 11_000))
    found = tried([*rows, completed(rows, 500)], "below", 1000, at_s=6.0, stop_s=stop_s)
    assert (found is not None) == tried_it


def test_avail_switchover_bandwidth_is_what_qemu_took():
    rows = precopy(FIRST, STEADY, STEADY, Pass(20_000, 18_500))
    data = {"trial": "below", "downtime-limit": 1000}
    trace = made(
        [*rows, completed(rows)],
        [event(6.0, "harness", "LIMIT", data)],
        parameters={"avail-switchover-bandwidth": PAGES_PER_MS * PAGE_BYTES * 1000},
    )
    rows[-1]["query-migrate"]["ram"]["mbps"] = 5 * MBPS
    assert doubt(judge_trials(Evidence.of(trace), NEEDED_MS, None)) == SHORTER


def test_where_nothing_was_sent_under_the_limit_no_bandwidth_rose():
    """All that was answered under it is that the migration completed."""
    rows = precopy(FIRST, STEADY, STEADY)
    end = {"t": rows[-1]["t"] + 0.5, "latency_ms": 0.5, "query-migrate": {"status": "completed"}}
    assert doubt(tried([*rows, end], "below", 1000, rows[-1]["t"] + 0.2)) == SHORTER


def test_what_was_sent_before_may_not_be_known():
    assert doubt(below(passes=(FIRST,))) == "it is unknown what was sent before"


def test_what_is_found_is_told_with_what_it_rests_on():
    rows = precopy(FIRST, STEADY, STEADY, STEADY, STEADY)
    found = tried(rows, "below", 1000, limit_from="reported")
    (trial,) = found.trials
    assert trial == Trial("below", 1000, 2, 0, False, trial.effective_limit_ms, LimitJudgement.VIOLATED)
    assert found == Convergence("limit-violated", NEEDED_MS, 1999.0, "reported", (trial,), found.reason)
    assert found.reason.startswith("under a downtime-limit of 1000 ms: a pass went on until ")
    early = tried(rows, "below", 2, limit_from="reported")
    reason = "the migration ended before the chosen limit was tried"
    assert early == Convergence("chosen-not-tried", NEEDED_MS, 1999.0, "reported", early.trials, reason)
    right = chosen(end=True, limit_from="reported")
    assert right == Convergence("right", NEEDED_MS, 1999.0, "reported", right.trials)
    assert [one.name for one in (*early.trials, *right.trials)] == ["below", "chosen"]


def test_a_harness_that_tried_none_tells_what_was_needed():
    evidence = Evidence.of(made(precopy(FIRST, STEADY), header={"tries_limits": True}))
    reason = "no limit was tried: the migration ended first, or the limit needed was unknown"
    assert judge_trials(evidence, 5.0, 7.0) == Convergence("not-tried", 5.0, 7.0, "", (), reason)
    set_once = [event(3.5, "harness", "LIMIT", {"trial": "chosen", "downtime-limit": 9})]
    assert judge_trials(Evidence.of(made(precopy(FIRST, STEADY), set_once)), 5.0, 7.0).limit_from == "oracle"
