# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a report follows another bandwidth: when enough was seen of it, and what is said if it was not."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from avocado_migdowntime.experiments.expected_downtime import Followed, OneMorePass
from avocado_migdowntime.faults.catalogue import named_fault
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.events import BANDWIDTH, HARNESS
from avocado_migdowntime.verdict.judge import NOT_FOLLOWED, judge

from ..support.recorded import altered, recording
from ..support.samples import sample

TRACE = read(str(recording("ppc64-tcg-qemu-7.2-slowed-at-the-end")))
CHANGED_S = TRACE.first_event(HARNESS, BANDWIDTH).t_s
AFTER = [one for one in TRACE.samples if one.t_s > CHANGED_S and one.status == "active"]


def until(end_s, trace=TRACE):
    """The recording up to a time."""
    kept = [one for one in trace.samples if one.t_s < end_s]
    return replace(trace, samples=kept, events=tuple(event for event in trace.events if event.t_s < end_s))


@pytest.mark.parametrize(("seen_s", "is_said"), [(0.05, True), (9.0, False)])
def test_a_change_of_which_too_little_was_seen_is_told_of(seen_s, is_said):
    verdict = judge(until(CHANGED_S + seen_s))
    assert verdict.verdict == "accurate" and (NOT_FOLLOWED in verdict.reasons) == is_said


def test_a_bandwidth_that_was_never_changed_is_not_missed():
    assert NOT_FOLLOWED not in judge(until(CHANGED_S)).reasons


@pytest.mark.parametrize(("ordered_bytes_per_ms", "within_s"), [(9019, 0.5), (4600, 0.5), (4400, 0.65)])
def test_a_bandwidth_that_did_not_fall_as_ordered_is_watched_for_longer(ordered_bytes_per_ms, within_s):
    """It fell to 9020 bytes a millisecond: if half of that was ordered, a busy host may have taken the rest away."""
    followed, last = watched(TRACE, ordered_bytes_per_ms)
    assert within_s - 0.3 < last.t_s - AFTER[0].t_s < within_s and not followed.stands


def watched(trace, ordered_bytes_per_ms):
    """What was seen after the change of bandwidth until it was enough, and the last sample of that."""
    now = SimpleNamespace(trace=until(CHANGED_S, trace))
    run = SimpleNamespace(evidence=lambda: Evidence.of(now.trace), parameters=parse({}))
    followed = Followed(run, ordered_bytes_per_ms)
    for one in AFTER:
        now.trace = until(one.t_s + 1e-6, trace)
        if followed(one):
            break
    return followed, one


@pytest.mark.parametrize(("fault", "stands"), [("frozen", True), ("once-a-pass", True), ("factor=1.1", False)])
def test_a_report_stands_that_is_still_that_of_before(fault, stands):
    made = named_fault(fault).make()
    wrong = altered(
        "ppc64-tcg-qemu-7.2-slowed-at-the-end",
        lambda answer: answer.update(made.from_qemu({"execute": "query-migrate"}, answer)),
    )
    assert watched(wrong, 9019)[0].stands is stands


@pytest.mark.parametrize(
    ("samples", "enough"),
    [
        ([(0.0, 3), (1.0, 3), (2.0, 4), (3.0, 4), (4.0, 5)], 4.0),  # The pass after the current one is over.
        ([(0.0, 3), (5.9, 4), (6.1, 4), (7.0, 4)], 6.1),  # It takes too long.
    ],
)
def test_one_more_pass_is_that_after_the_current_one(samples, enough):
    is_enough = OneMorePass()
    assert next(t_s for t_s, number in samples if is_enough(sample(t_s, number))) == enough
