# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a report follows another bandwidth: when enough was seen of it, and what is said if it was not."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from avocado_migdowntime.experiments.expected_downtime import Followed
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.events import BANDWIDTH, HARNESS
from avocado_migdowntime.verdict.judge import NOT_FOLLOWED, judge

from ..support.recorded import recording

TRACE = read(str(recording("ppc64-tcg-qemu-7.2-slowed-at-the-end")))
CHANGED_S = TRACE.first_event(HARNESS, BANDWIDTH).t_s
AFTER = [sample for sample in TRACE.samples if sample.t_s > CHANGED_S and sample.status == "active"]


def until(end_s):
    """The recording up to a time."""
    kept = [sample for sample in TRACE.samples if sample.t_s < end_s]
    return replace(TRACE, samples=kept, events=tuple(event for event in TRACE.events if event.t_s < end_s))


@pytest.mark.parametrize(("seen_s", "is_said"), [(0.05, True), (9.0, False)])
def test_a_change_of_which_too_little_was_seen_is_told_of(seen_s, is_said):
    verdict = judge(until(CHANGED_S + seen_s))
    assert verdict.verdict == "accurate" and (NOT_FOLLOWED in verdict.reasons) == is_said


def test_a_bandwidth_that_was_never_changed_is_not_missed():
    assert NOT_FOLLOWED not in judge(until(CHANGED_S)).reasons


@pytest.mark.parametrize(("ordered_bytes_per_ms", "within_s"), [(9019, 0.5), (4600, 0.5), (4400, 0.65)])
def test_a_bandwidth_that_did_not_fall_as_ordered_is_watched_for_longer(ordered_bytes_per_ms, within_s):
    """It fell to 9020 bytes a millisecond: if half of that was ordered, a busy host may have taken the rest away."""
    now = SimpleNamespace(trace=until(CHANGED_S))
    run = SimpleNamespace(evidence=lambda: Evidence.of(now.trace), parameters=parse({}))
    followed = Followed(run, ordered_bytes_per_ms)
    for sample in AFTER:
        now.trace = until(sample.t_s + 1e-6)
        if followed(sample):
            break
    assert within_s - 0.3 < sample.t_s - AFTER[0].t_s < within_s
