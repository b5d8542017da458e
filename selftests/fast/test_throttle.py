# SPDX-License-Identifier: GPL-2.0-or-later
"""In which steps auto-converge slows the guest, against what was set: step by step, and on a real recording."""

from dataclasses import replace

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.throttle import Step, Throttling, steps
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.trace.samples import Samples
from avocado_migdowntime.verdict.check import Outcome
from avocado_migdowntime.verdict.judge import judge

from ..support.migrations import slowed
from ..support.recorded import recording
from ..support.traces import Pass, made, precopy

USUAL = Throttling(20, 10, 99, False)
GENTLE = replace(USUAL, tailslow=True)
SET = {"cpu-throttle-initial": 20, "cpu-throttle-increment": 10, "max-cpu-throttle": 99}


@pytest.mark.parametrize(
    ("throttling", "before", "after", "most_steps", "explained"),
    [
        (USUAL, 0, 20, 1, True),
        (USUAL, 0, 10, 1, False),
        (USUAL, 0, 30, 1, False),
        (USUAL, 0, 30, 2, True),
        (USUAL, 20, 30, 1, True),
        (USUAL, 20, 35, 1, False),
        (USUAL, 20, 35, 9, False),
        (USUAL, 30, 20, 9, False),
        (USUAL, 30, 0, 9, False),
        (USUAL, 90, 99, 1, True),
        (USUAL, 90, 100, 1, False),
        (replace(USUAL, most=45), 40, 45, 1, True),
        (replace(USUAL, most=45), 40, 50, 1, False),
        (replace(USUAL, initial=99), 0, 99, 1, True),
        (GENTLE, 0, 20, 1, True),
        (GENTLE, 0, 15, 1, False),
        (GENTLE, 20, 21, 1, True),
        (GENTLE, 20, 30, 1, True),
        (GENTLE, 20, 31, 1, False),
        (GENTLE, 20, 40, 2, True),
        (GENTLE, 20, 19, 2, False),
    ],
)
def test_a_step_is_one_that_was_set_or_is_not(throttling, before, after, most_steps, explained):
    assert throttling.explains(Step(1.0, before, after, most_steps)) is explained


def test_what_is_set_is_read_from_the_parameters():
    assert Throttling.of(SET) == USUAL
    assert Throttling.of({**SET, "cpu-throttle-tailslow": True}) == GENTLE
    assert Throttling.of({**SET, "cpu-throttle-tailslow": False}) == USUAL
    assert Throttling.of({name: SET[name] for name in list(SET)[:2]}) is None
    with pytest.raises(UsageError, match="'max-cpu-throttle' is 'all' where a number"):
        Throttling.of({**SET, "max-cpu-throttle": "all"})


def seen(*at):
    """Samples at these times with these percentages; None is not slowed."""
    ram = made(precopy(Pass(10))).samples[0].ram
    return Samples.of([Sample(t_s, 100.0, status, None, ram, throttle_percent=p) for t_s, p, status in at])


def test_steps_are_those_between_active_samples_with_the_time_that_they_may_have_taken():
    samples = seen(
        (0.0, None, "setup"),
        (1.0, None, "active"),
        (1.5, 20, "active"),
        (2.4, 20, "active"),
        (3.4, 30, "active"),
        (4.0, 40, "active"),
        (4.5, None, "completed"),
    )
    assert steps(samples, 3.95) == [Step(1.5, 0, 20, 1), Step(3.4, 20, 30, 2)]
    assert steps(samples, 9.0)[-1] == Step(4.0, 30, 40, 1)


def slowed_at_once(percent, **header):
    """The finding for a guest that is slowed by that from the third pass on."""
    given = {"capabilities": ["auto-converge"], "tracked": [*SET], "migrate-parameters": {"downtime-limit": 1, **SET}}
    trace = made(precopy(*[Pass(15_000)] * 3), header={**given, **header})
    slow = [replace(s, throttle_percent=percent if s.ram.dirty_sync_count > 2 else None) for s in trace.samples]
    return judge(replace(trace, samples=tuple(slow))).check("throttle")


@pytest.mark.parametrize(
    ("percent", "parameters", "said"),
    [
        (20, SET, ""),
        (25, SET, "auto-converge first slowed the guest by 25 %; 20 % was expected"),
        (25, {**SET, "cpu-throttle-initial": 25}, ""),
    ],
)
def test_the_first_step_is_held_against_what_was_set(percent, parameters, said):
    check = slowed_at_once(percent, **{"migrate-parameters": {"downtime-limit": 1, **parameters}})
    assert (check.outcome, check.sentence) == (Outcome.FAILED if said else Outcome.PASSED, said)


@pytest.mark.parametrize("capabilities", [[], ["auto-converge", "dirty-limit"]])
def test_nothing_is_said_where_the_cpus_are_not_slowed_by_auto_converge(capabilities):
    assert slowed_at_once(25, capabilities=capabilities) is None


SLOWED = "x86_64-tcg-qemu-11.1-auto-converge"


def judged(alter=lambda sample: sample, *events):
    trace = read(str(recording(SLOWED)))
    return judge(replace(trace, samples=tuple(map(alter, trace.samples)), events=(*trace.events, *events)))


def other(percents):
    """The samples with other percentages in place of these."""
    return lambda sample: replace(sample, throttle_percent=percents.get(sample.throttle_percent))


def test_a_recorded_qemu_slows_its_guest_as_was_set():
    verdict = judged()
    assert verdict.throttle.percents == (20, 30) and verdict.throttle.code == "as-set"
    assert (str(verdict.verdict), verdict.limit.code, verdict.passed) == ("accurate", "respected", True)


@pytest.mark.parametrize(
    ("percents", "code", "sentence"),
    [
        ({20: 20, 30: 35}, "another-step", "auto-converge slowed the guest by 35 % after 20 %; 30 % was expected"),
        ({20: 10, 30: 20}, "another-first", "auto-converge first slowed the guest by 10 %; 20 % was expected"),
        ({20: 20}, "another-step", "auto-converge slowed the guest by 0 % after 20 %; 30 % was expected"),
    ],
)
def test_the_same_with_other_steps_is_wrong(percents, code, sentence):
    verdict = judged(other(percents))
    assert (verdict.throttle.code, verdict.throttle.sentence, verdict.passed) == (code, sentence, False)
    assert sentence in verdict.reasons


def test_steps_below_those_that_were_set_are_right_where_qemu_is_to_slow_gently():
    trace = read(str(recording(SLOWED)))
    gentle = {**trace.migrate_parameters, "cpu-throttle-tailslow": True}
    for last, code in ((24, "as-set"), (31, "another-step")):
        alter = other({20: 20, 30: last})
        samples, header = tuple(map(alter, trace.samples)), {**trace.header, "migrate-parameters": gentle}
        verdict = judge(Trace(samples, trace.events, header))
        assert verdict.throttle.code == code
    assert verdict.throttle.sentence.endswith("by 31 % after 20 %; more than 20 % and up to 30 % was expected")


def test_what_others_changed_meanwhile_is_not_held_against_it():
    changed = Event(1e3, "harness", "THROTTLE_CHANGED", {"cpu-throttle-increment": 15})
    assert judged(other({20: 20, 30: 35}), changed).throttle.code == "changed"


@pytest.mark.parametrize(
    ("percents", "sentence"),
    [
        ({}, "auto-converge did not slow the guest when pass 4 began; at least 20 % was due"),
        ({20: 20, 30: 20}, "auto-converge slowed the guest by 20 % when pass 6 began; at least 30 % was due"),
    ],
)
def test_a_guest_that_is_slowed_less_than_is_due_is_a_finding(percents, sentence):
    finding = judged(other(percents)).throttle
    assert (finding.code, finding.sentence) == ("not-slowed", sentence)


@pytest.mark.parametrize(
    ("altered", "code"),
    [
        ({"throttle-trigger-threshold": 50}, "not-slowed"),
        ({"throttle-trigger-threshold": 80}, "not-slowed"),
        ({"throttle-trigger-threshold": 95}, "no-step-seen"),
        ({"throttle-trigger-threshold": 99}, "no-step-seen"),
        ({"max-cpu-throttle": 20}, "not-slowed"),
    ],
)
def test_it_is_due_where_more_is_dirtied_than_may_be(altered, code):
    """The guest dirties as much as is sent, to 1 or 2 %; what may be is known to a tenth."""
    trace = read(str(recording(SLOWED)))
    header = {**trace.header, "migrate-parameters": {**trace.migrate_parameters, **altered}}
    assert judge(Trace(tuple(map(other({}), trace.samples)), trace.events, header)).throttle.code == code


def test_no_more_is_due_than_the_most_that_is_allowed():
    trace = read(str(recording(SLOWED)))
    header = {**trace.header, "migrate-parameters": {**trace.migrate_parameters, "max-cpu-throttle": 20}}
    assert (
        judge(Trace(tuple(map(other({20: 20, 30: 20}), trace.samples)), trace.events, header)).throttle.code == "as-set"
    )


@pytest.mark.parametrize(
    ("throttling", "steps_due", "percent"),
    [(USUAL, 0, 0), (USUAL, 1, 20), (USUAL, 2, 30), (USUAL, 99, 99), (GENTLE, 0, 0), (GENTLE, 5, 1)],
)
def test_so_much_is_due_after_so_many_steps(throttling, steps_due, percent):
    assert throttling.least_percent(steps_due) == percent


def test_a_sync_that_is_not_counted_accuses_nobody():
    """QEMU 11.1 does not count those of auto-converge: one pass has several, and its report is that of the last one."""
    rows = precopy(Pass(15_000), *[Pass(60_000, 10_000), Pass(40_000)] * 2, Pass(60_000))
    counted = {1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4}
    for one in rows:
        ram = one["query-migrate"]["ram"]
        ram["dirty-sync-count"] = counted[ram["dirty-sync-count"]]
    verdict = judge(made(rows, limit_ms=1, header={"capabilities": ["auto-converge"]}))
    assert (str(verdict.verdict), verdict.passed) == ("inconclusive", None), verdict


def test_a_step_between_looks_that_are_far_apart_is_told_and_not_judged():
    finding = judge(slowed(0, 0, 30, apart_s=2.1)).throttle
    assert (finding.code, finding.percents) == ("sparse", (30,))
