# SPDX-License-Identifier: GPL-2.0-or-later
"""A recording that began in the midst of a pass: how long that was is not known, and nothing is computed from it."""

from dataclasses import replace

import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.advice import Help
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.prediction.observed import observe
from selftests.support.recorded import recording

WHOLE = read(str(recording("x86_64-kvm-qemu-7.2")))


def part(begin_pass, share, end_pass):
    """From so far in one pass to the first half of another."""
    passes = {one.number: one for one in Evidence.of(WHOLE).passes}
    first, last = passes[begin_pass], passes[end_pass]
    begin_s = first.begin_s + share * (first.end_s - first.begin_s)
    end_s = (last.begin_s + last.end_s) / 2
    t_s = WHOLE.samples.t_s
    rows = slice(int(t_s.searchsorted(begin_s)), int(t_s.searchsorted(end_s)))
    return replace(WHOLE, samples=WHOLE.samples[rows], events=())


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_how_fast_the_guest_dirties_is_not_told_from_a_pass_without_its_begin(share):
    advice = advise(part(2, share, 3))
    assert advice.syncs_seen == 1
    assert advice.help == Help()
    said = " ".join(advice.reasons)
    assert "the guest dirties" not in said
    assert "only one pass was seen to its end, but not from its start" in said


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_the_passes_that_were_seen_whole_are_reckoned_with_alone(share):
    cut, whole = (observe(Evidence.of(trace).undisturbed) for trace in (part(2, share, 4), WHOLE))
    assert [sync.before.number for sync in cut.syncs] == [2, 3]
    assert [sync.before.number for sync in cut.timed] == [3]
    assert [point.duration_ms for point in cut.curve.points] == pytest.approx(
        [whole.curve.points[-1].duration_ms], rel=0.1
    )
    assert len(cut.surprises) == 1


def test_of_a_recording_from_the_begin_on_each_pass_counts():
    precopy = observe(Evidence.of(WHOLE).undisturbed)
    assert precopy.timed == precopy.syncs
