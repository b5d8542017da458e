# SPDX-License-Identifier: GPL-2.0-or-later
"""Which passes can be judged while a migration goes on: as of the trace so far; what has ended is judged once."""

import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.growing import GrowingEvidence
from avocado_migdowntime.oracle.reports import ExcludedSamples
from avocado_migdowntime.verdict import judged_passes as module
from avocado_migdowntime.verdict.judged_passes import GrowingSegments, judged_passes
from selftests.support.growing import fed
from selftests.support.recorded import recording
from selftests.support.traces import Pass, answers, completed, event, made, precopy

TOLERANCE = 0.01
EVERY = 7
"""Samples from one look to the next."""
ROWS = precopy(Pass(30_000), Pass(20_000), Pass(25_000), Pass(1_000), Pass(20_000), Pass(22_000))
"""One of its passes is too short to be judged, and what was left at the sync after it is known well all the same."""


def looks(trace, every=EVERY):
    """What each look at a growing trace found, beside what the same evidence gives as a whole."""
    evidence, segments, done = GrowingEvidence(trace.header), GrowingSegments("last-sync", TOLERANCE), 0
    for count in (*range(every, len(trace.samples), every), len(trace.samples)):
        fed(evidence, trace, done, count)
        done, seen = count, evidence.evidence().undisturbed
        whole, _ = judged_passes(seen, "last-sync", TOLERANCE, ExcludedSamples())
        yield segments.count_and_last(seen), whole


def assert_the_same_at_each_look(trace, every=EVERY):
    """Return the numbers of the passes that were the last, in the order of time, and how many there were then."""
    numbers = {}
    for (count, last), whole in looks(trace, every):
        assert count == len(whole)
        if last is not None:
            assert last.number == whole[-1].number and last.reports.rows.tolist() == whole[-1].reports.rows.tolist()
            numbers.pop(last.number, None)
            numbers[last.number] = count
    return numbers


def test_at_each_look_it_is_as_of_the_trace_so_far():
    assert assert_the_same_at_each_look(made(ROWS)) == {2: 1, 3: 2, 5: 3, 6: 4}


def test_passes_that_can_tell_take_the_place_of_those_that_cannot():
    """What was left at the syncs of the first is known too roughly: the last they sent was not seen."""
    rough = Pass(20_000, unsent=2_000, unseen=900)
    trace = made(precopy(rough, rough, rough, Pass(20_000), Pass(20_000), limit_ms=300), limit_ms=300)
    assert assert_the_same_at_each_look(trace) == {2: 1, 3: 2, 4: 3, 5: 1}


@pytest.mark.long
def test_what_was_disturbed_or_began_anew_is_looked_at_from_its_begin():
    changed = event(6.1, "harness", "LIMIT_CHANGED", {"downtime-limit": 900})
    assert assert_the_same_at_each_look(made(ROWS, [changed])) == {2: 1, 3: 2}
    ended = {**completed(ROWS), "t": 14.0}
    again = made([*ROWS, ended, *({**one, "t": one["t"] + 20} for one in ROWS[:400])])
    assert list(assert_the_same_at_each_look(again).items()) == [(6, 4), (2, 1), (3, 2), (5, 3)]


def test_a_count_that_falls_puts_samples_back_into_passes_that_were_judged():
    rows = precopy(Pass(30_000), Pass(20_000), Pass(25_000), Pass(20_000))
    for answer in list(answers(rows, 4))[10:15]:
        answer["ram"]["dirty-sync-count"] = 2
    assert_the_same_at_each_look(made(rows))


@pytest.mark.parametrize("name", ["ppc64-tcg-qemu-7.2", "x86_64-kvm-qemu-7.2-limit-700ms"])
def test_of_a_real_migration_as_well(name):
    assert assert_the_same_at_each_look(read(str(recording(name))), 5)


def test_a_pass_that_has_ended_is_judged_once(monkeypatch):
    judged = []

    def counted(sync, *more):
        judged.append(sync.after.number)
        return judged_pass(sync, *more)

    judged_pass = module._judged_pass
    trace = made(precopy(*[Pass(4_000)] * 30))
    evidence, segments = GrowingEvidence(trace.header), GrowingSegments("last-sync", TOLERANCE)
    fed(evidence, trace, 0, len(trace.samples) - 1)
    monkeypatch.setattr(module, "_judged_pass", counted)
    segments.count_and_last(evidence.evidence())
    assert judged == list(range(2, 31))
    judged.clear()
    fed(evidence, trace, len(trace.samples) - 1, len(trace.samples))
    segments.count_and_last(evidence.evidence())
    assert judged == [30]
