# SPDX-License-Identifier: GPL-2.0-or-later
"""A switchover without a last sync: what shows it, and what only looks alike."""

from dataclasses import replace

import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.verdict.judge import judge

from ..support.migrations import of, postcopy, with_events
from ..support.recorded import recording

LIMIT_MS = 300.0


def without(**more):
    """It ends in mid-pass, and only the sync of the switchover is counted."""
    return of([2000, 10], LIMIT_MS, syncs_at_switchover=0, **more)


def code(trace):
    found = judge(trace).switchover
    return found and found.code


def with_last(trace, **ram):
    *before, last = trace.samples
    return replace(trace, samples=(*before, replace(last, ram=replace(last.ram, **ram))))


def test_it_fails_a_run_and_says_what_it_means():
    verdict = judge(without())
    assert verdict.passed is False and verdict.switchover.code == "without-a-sync"
    sentence = verdict.check("switchover").sentence
    assert sentence == (
        "QEMU switched over in pass 2 without another sync; so while the guest was down, it sent all that the guest "
        "had dirtied since that pass began"
    )
    assert sentence in verdict.reasons


def test_it_says_where_nothing_was_left_after_a_window_that_sent_nothing():
    trace = read(str(recording("ppc64-tcg-qemu-10.0-switched-over-without-a-sync")))
    [*_, last, final] = trace.samples
    assert (last.ram.remaining_bytes, last.ram.mbps, last.ram.dirty_sync_count, final.downtime_ms) == (0, 0, 1, 3387)
    verdict = judge(trace)
    assert verdict.passed is False and verdict.check("switchover").sentence == (
        "QEMU switched over in pass 1 without another sync, when nothing was left of it after a window in which "
        "nothing was sent; so while the guest was down, it sent all that the guest had dirtied since that pass began"
    )
    for figures in ({"mbps": 8.0}, {"remaining_bytes": 4096}):
        other = replace(trace, samples=(*trace.samples[:-2], replace(last, ram=replace(last.ram, **figures)), final))
        assert "when nothing was left" not in judge(other).check("switchover").sentence


def test_with_a_sync_more_it_is_as_it_should_be():
    assert code(of([2000, 10], LIMIT_MS)) == "after-a-sync"
    assert code(of([2000, 10], LIMIT_MS, syncs_at_switchover=2)) == "after-a-sync"


def test_a_sync_that_was_announced_before_the_stop_is_one():
    trace = without()
    stop = next(event for event in trace.events if event.name == "STOP")
    announced = Event(stop.t_s, "source", "MIGRATION_PASS", {"pass": 3})
    kept = [event for event in trace.events if event is not stop]
    assert code(replace(trace, events=(*kept, announced, stop))) == "after-a-sync"
    assert code(replace(trace, events=(*kept, stop, announced))) == "without-a-sync"


def test_what_is_not_over_or_ended_by_postcopy_shows_nothing():
    assert code(of([2000])) is None
    assert code(of([2000], fails=True)) is None
    assert code(postcopy(without())) is None
    *before, final = without().samples
    ended = replace(final, t_s=final.t_s + 0.02)
    assert code(replace(without(), samples=(*before, replace(final, status="postcopy-active"), ended))) is None


def test_where_no_stop_was_told_it_may_have_been_stopped_at_any_time():
    trace = without()
    told = tuple(event for event in trace.events if event.name != "STOP")
    assert code(replace(trace, events=told)) is None
    stop = next(event for event in trace.events if event.name == "STOP")
    resumed = Event(stop.t_s + 0.001, "source", "RESUME", {})
    assert code(with_events(trace, resumed)) is None


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_pass_that_was_hardly_sampled_shows_nothing(kept):
    """The first answer with a pass's number may have been made of what was sent before its sync."""
    trace = without()
    final = trace.samples[-1]
    rows = [row for row in trace.samples if row.ram.dirty_sync_count == 2]
    first = [row for row in trace.samples if row.ram.dirty_sync_count == 1]
    shown = replace(trace, samples=(*first, *rows[len(rows) - kept :], final))
    assert code(shown) == ("not-seen" if kept else "after-a-sync")


def test_nothing_sent_after_a_sync_is_a_switchover_at_it():
    trace = without()
    final = trace.samples[-1]
    stood = [replace(row, ram=replace(row.ram, dirty_sync_count=3)) for row in [trace.samples[-2]] * 3]
    rows = [replace(row, t_s=row.t_s + 0.001 * (n + 1)) for n, row in enumerate(stood)]
    shown = replace(
        trace, samples=(*trace.samples[:-1], *rows, replace(final, ram=replace(final.ram, dirty_sync_count=4)))
    )
    assert code(shown) == "after-a-sync"
