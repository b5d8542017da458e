# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether QEMU switched over with too much left where it did so in the first pass: by what was sent after its stop.

By hand a millisecond is 10 pages: a limit of 100 ms allows 1000, a burst is 1200. What was left may be twice what is
allowed and a burst, and one burst more may have gone out unseen before the stop.
"""

import pytest

from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from selftests.support.simulate import Simulation, record
from selftests.support.traces import MBPS, Pass, answers, completed, event, made, precopy, row

RESPECTED = "respected", ""
NOT_TOLD = "no-end-seen", "no end of a pass was seen closely enough to show the effective downtime-limit"
LIMIT_MS = 100
STOP_MS = 1
"""From the last sample to the stop."""


def switched_over_early(left_ms, limit_ms=LIMIT_MS):
    return (
        "switched-over-early",
        f"QEMU switched over with {left_ms} ms left to send where the downtime-limit is {limit_ms} ms",
    )


def limit(trace):
    verdict = judge(trace)
    assert verdict.passes == 0 and verdict.check("limit").code == verdict.limit.code
    return verdict.limit.code, verdict.limit.reason


def stopped(rows, stop_ms=STOP_MS, after_ms=50, between=(), **more):
    """The trace of a source that stops its guest after these samples, and completes so long after that."""
    stop_s = rows[-1]["t"] + stop_ms / 1000
    final = completed(rows, stop_ms + after_ms, more.pop("dirtied", 0), more.pop("syncs", 2))
    events = [event(stop_s, "source", "STOP")] if more.pop("told", True) else []
    return made([*rows, *between, final], events, more.pop("limit_ms", LIMIT_MS), **more)


@pytest.mark.parametrize(
    ("passes", "mbps", "syncs", "code"),
    [
        (1, 0, 1, "before-a-window"),
        (1, MBPS, 1, "without-a-sync"),
        (2, 0, 1, "without-a-sync"),
        (2, MBPS, 1, "without-a-sync"),
        (1, 0, 2, "after-a-sync"),
        (1, MBPS, 2, "after-a-sync"),
        (2, MBPS, 2, "after-a-sync"),
        (1, 0, 0, "not-seen"),
        (2, MBPS, 0, "not-seen"),
    ],
)
def test_before_the_first_window_ends_qemu_switches_over_as_all_fits_and_else_at_a_sync(passes, mbps, syncs, code):
    """`syncs` come after the last pass seen: one is that of the switchover itself."""
    rows = precopy(*[Pass(30_000, mbps=mbps)] * (passes - 1), Pass(30_000, 10_000, mbps=mbps))
    verdict = judge(stopped(rows, syncs=syncs))
    assert verdict.switchover.code == code
    assert ("without another sync" in " ".join(verdict.reasons)) == (code == "without-a-sync")


def lone(unsent, period_ms=20):
    """A first pass that is not seen to end, with so many pages left in its last sample."""
    return precopy(Pass(30_000, unsent, period_ms=period_ms))


EARLY = Simulation([9_000, 10], limit_ms=LIMIT_MS, used_limit_ms=2_000, zero_pages=0)


def test_qemu_that_goes_by_a_far_larger_limit_in_its_first_pass_violates_that_which_is_set():
    trace = record(EARLY, switchover_ms=40)
    left_ms = trace.samples[-2].ram.remaining_bytes / EARLY.bytes_per_ms
    assert 1_800 < left_ms < 2_000 and {sample.ram.dirty_sync_count for sample in trace.samples} == {1, 3}
    verdict = judge(trace)
    assert (verdict.limit.code, verdict.limit_verdict) == ("switched-over-early", LimitJudgement.VIOLATED)
    told_ms = float(verdict.limit.reason.removeprefix("QEMU switched over with ").split()[0])
    # Of what was left it takes off what may have gone out unseen: a burst, and the time from the sample to the stop.
    assert left_ms - 120 - 25 <= told_ms <= left_ms - 119
    assert verdict.limit.reason == switched_over_early(round(told_ms))[1]
    assert verdict.passed is False and verdict.check("limit").sentence.endswith(verdict.limit.reason)


@pytest.mark.parametrize("limit_ms", [1, 100, 700, 2_000])
@pytest.mark.parametrize("pages", [300, 3_000, 9_000])
def test_a_correct_qemu_that_completes_in_its_first_pass_respects_the_limit(limit_ms, pages):
    trace = record(Simulation([pages, 1], limit_ms=limit_ms, zero_pages=0), switchover_ms=40)
    assert trace.completed and {sample.ram.dirty_sync_count for sample in trace.samples} <= {1, 2, 3}
    assert limit(trace)[0] in ("respected", "no-end-seen")
    assert pages < 9_000 or limit(trace) == RESPECTED


@pytest.mark.parametrize(
    ("unsent", "found"),
    [
        (2_200, RESPECTED),  # What is allowed, and a burst.
        (2_201, NOT_TOLD),
        (4_409, NOT_TOLD),  # In a millisecond 10 pages may have gone before the stop.
        (4_411, switched_over_early(320)),
        (20_000, switched_over_early(1879)),
    ],
)
def test_what_was_sent_after_the_stop_was_left_when_qemu_decided(unsent, found):
    assert limit(stopped(lone(unsent))) == found


def test_what_was_dirtied_counts_as_it_is_sent_after_the_stop_too():
    assert limit(stopped(lone(0), dirtied=4_409)) == NOT_TOLD
    assert limit(stopped(lone(0), dirtied=4_411)) == switched_over_early(320)


@pytest.mark.parametrize(
    ("stop_ms", "unsent", "found"),
    [
        (100, 5_399, NOT_TOLD),
        (100, 5_401, switched_over_early(320)),
        (599, 10_389, NOT_TOLD),
        (599, 10_391, switched_over_early(320)),
        (601, 20_000, NOT_TOLD),
    ],
)
def test_for_five_bursts_it_is_reckoned_what_may_have_gone_before_the_stop(stop_ms, unsent, found):
    assert limit(stopped(lone(unsent), stop_ms)) == found


def test_without_the_sources_stop_or_the_limit_it_is_not_judged():
    assert limit(stopped(lone(20_000), told=False)) == NOT_TOLD
    assert limit(stopped(lone(20_000), limit_ms=None))[0] == "not-recorded"


def test_it_is_the_limit_that_held_at_the_stop():
    """Set after that, another one has not ended what is judged."""
    rows = lone(20_000)
    final = completed(rows, 50, 0, 2)
    stop_s = rows[-1]["t"] + 0.001
    later = event(stop_s + 0.01, "harness", "LIMIT_CHANGED", {"downtime-limit": 5_000})
    trace = made([*rows, final], [event(stop_s, "source", "STOP"), later], LIMIT_MS)
    assert limit(trace) == switched_over_early(1879)


def test_avail_switchover_bandwidth_makes_the_limit_as_many_bytes():
    tenfold = {"avail-switchover-bandwidth": 10 * 10 * 4096 * 1000}
    assert limit(stopped(lone(20_000), parameters=tenfold)) == NOT_TOLD
    assert limit(stopped(lone(22_411), parameters=tenfold)) == switched_over_early(212)


def with_zeros(count, unsent=20_000, seen=True):
    """The same with so many zero pages: `seen` among what the last nine samples show as sent, else after the stop."""
    trace_rows = lone(unsent)
    final = completed(trace_rows, 51, 0, 2)
    for answer in [*(list(answers(trace_rows, 1))[-8:] if seen else []), final["query-migrate"]]:
        answer["ram"]["duplicate"] += count
        answer["ram"]["normal"] -= count
    return made([*trace_rows, final], [event(trace_rows[-1]["t"] + 0.001, "source", "STOP")], LIMIT_MS)


@pytest.mark.parametrize("seen", [True, False])
def test_zero_pages_late_in_the_pass_leave_the_bandwidth_open(seen):
    assert limit(with_zeros(1_201, seen=seen)) == NOT_TOLD
    assert limit(with_zeros(1_200, seen=seen)) == switched_over_early(1759)


@pytest.mark.parametrize(("unsent", "found"), [(4_409, NOT_TOLD), (4_411, switched_over_early(320))])
def test_zero_pages_of_long_before_took_none_at_the_end(unsent, found):
    rows = lone(unsent)
    final = completed(rows, 51, 0, 2)
    for one in (*rows, final):
        one["query-migrate"]["ram"]["duplicate"] += 1_000
    assert limit(made([*rows, final], [event(rows[-1]["t"] + 0.001, "source", "STOP")], LIMIT_MS)) == found


def test_zero_pages_took_no_time():
    assert limit(with_zeros(1_000, 5_412)) == switched_over_early(320)
    assert limit(with_zeros(1_000, 5_408)) == NOT_TOLD


@pytest.mark.parametrize(("period_ms", "found"), [(99, switched_over_early(1879)), (101, NOT_TOLD)])
def test_samples_that_come_no_faster_than_qemu_renews_its_figures_tell_nothing(period_ms, found):
    assert limit(stopped(lone(20_000, period_ms))) == found


def test_a_pass_whose_bandwidth_was_not_yet_seen_tells_nothing():
    rows = lone(20_000)
    for answer in answers(rows, 1):
        answer["ram"]["mbps"] = 0
    assert limit(stopped(rows)) == NOT_TOLD


@pytest.mark.parametrize(("back", "unsent", "found"), [(9, 8_819, NOT_TOLD), (9, 8_821, 320), (10, 4_411, 320)])
def test_the_bandwidth_is_the_largest_that_the_last_nine_samples_show(back, unsent, found):
    """Twice of what QEMU shows else makes twice as many bytes of the limit, of a burst and of a millisecond."""
    rows = lone(unsent)
    list(answers(rows, 1))[-back]["ram"]["mbps"] *= 2
    assert limit(stopped(rows)) == (found if found == NOT_TOLD else switched_over_early(found))


def after_the_stop(rows, many, number, first_ms=2, period_ms=20):
    """So many more active samples, of the pass `number`."""
    ram = rows[-1]["query-migrate"]["ram"]
    return [
        row(rows[-1]["t"] + (first_ms + period_ms * step) / 1000, number, ram["remaining"] // 4096, ram["normal"])
        for step in range(many)
    ]


@pytest.mark.parametrize("many", [1, 50])
def test_a_guest_that_somebody_else_stopped_in_the_pass_is_not_judged(many):
    """QEMU goes on with the pass, where the switchover syncs at once."""
    rows = lone(20_000)
    assert limit(stopped(rows, after_ms=1_000, between=after_the_stop(rows, many, 1))) == NOT_TOLD


def test_a_guest_that_somebody_else_stopped_as_the_pass_ended_is_not_judged():
    """All that it had dirtied is found by the next sync, and sent while it is stopped."""
    rows = lone(100)
    between = after_the_stop(rows, 95, 2)
    assert limit(stopped(rows, after_ms=2_000, between=between, dirtied=20_000, syncs=3)) == NOT_TOLD


@pytest.mark.parametrize(
    ("first_ms", "found"), [(120, switched_over_early(1879)), (120.95, switched_over_early(1879)), (121.05, NOT_TOLD)]
)
def test_samples_of_the_switchover_itself_do_not_matter(first_ms, found):
    """QEMU answers hardly any until all is sent, as it holds its big lock; within a burst they may be."""
    rows = lone(20_000)
    between = after_the_stop(rows, 1, 2, first_ms)
    assert limit(stopped(rows, after_ms=500, between=between)) == found


def test_only_a_migration_that_completed_has_switched_over():
    rows = lone(20_000)
    ended = completed(rows, 51, 0, 2)
    ended["query-migrate"]["status"] = "failed"
    trace = made([*rows, ended], [event(rows[-1]["t"] + 0.001, "source", "STOP")], LIMIT_MS)
    assert limit(trace) == NOT_TOLD
