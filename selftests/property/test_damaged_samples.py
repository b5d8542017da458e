# SPDX-License-Identifier: GPL-2.0-or-later
"""Real recordings with one damaged sample: fed sample by sample, the answer is the same as from the whole file."""

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.trace.figures import Column
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.sample import ENDED
from avocado_migdowntime.trace.samples import Samples
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.limit import LimitJudgement
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.examples import examples
from ..support.growing import differences, grown
from ..support.recorded import RECORDINGS
from ..support.watching import watched

recorded = cache(read)
FILES = sorted(str(path) for path in RECORDINGS.glob("*.jsonl.gz"))
COUNTERS = [Column.SENT, Column.ZERO, Column.TRANSFERRED, Column.COUNTED, Column.SYNCS, Column.PAGE]


def changed(count: float, kind: str, by: int) -> float:
    return {"to": by, "by": count + by, "down by": max(0, count - by), "times": count * by}[kind]


@st.composite
def damaged(draw: st.DrawFn) -> Trace:
    """A recording of which one counter of one active sample, or of it and all after it, has another value.

    A page has at least one byte: with 0 bytes a recording is not read.
    """
    trace = recorded(draw(st.sampled_from(FILES)))
    rows = np.flatnonzero(trace.samples.has_ram & trace.samples.are("active"))
    row = int(draw(st.sampled_from(rows.tolist())))
    until = draw(st.sampled_from([row + 1, row + 1, row + 1, row + 2, len(trace.samples)]))
    column = draw(st.sampled_from(COUNTERS))
    kind = draw(st.sampled_from(["to", "by", "down by", "times"]))
    by = draw(st.sampled_from([0, 1, 2, 30_000]) | st.integers(0, 10**7))
    table = trace.samples.table.copy()
    for at in range(row, until):
        table[column, at] = max(changed(table[column, at], kind, by), column == Column.PAGE)
    return replace(trace, samples=Samples(table, trace.samples.labels))


@pytest.mark.long
@examples(100)
@given(damaged())
def test_sample_by_sample_it_is_as_from_the_whole_file(trace):
    assert differences(grown(trace), trace) == []
    if trace.samples[-1].status in ENDED:
        *_, (watcher, _) = watched(trace)
        last_s = trace.samples[-1].t_s
        assert watcher.now().verdict == judge(replace(trace, events=[e for e in trace.events if e.t_s <= last_s]))


@pytest.mark.long
@examples(100)
@given(st.data())
def test_a_sync_that_is_counted_before_what_it_found_is_shown_changes_no_verdict(data):
    """QEMU 11.1, which shows what is pending, counts it after that; of passes of a few samples nothing is known."""
    trace = recorded(data.draw(st.sampled_from(FILES)))
    counts = trace.samples.dirty_sync_count
    known = np.flatnonzero(np.diff(counts) == 1)[1:]
    known = known[trace.samples.are("active")[known] & np.isnan(trace.samples.pending_bytes[known])]
    table = trace.samples.table.copy()
    size = Counter(counts.tolist())
    for row in [row for row in known.tolist() if size[counts[row]] > 4 and size[counts[row + 1]] > 2]:
        for early in range(data.draw(st.integers(0, 3))):
            table[Column.SYNCS, row - early] = counts[row + 1]
    early, whole = judge(damaged := replace(trace, samples=Samples(table, trace.samples.labels))), judge(trace)
    assert early.verdict in (whole.verdict, Judgement.INCONCLUSIVE)
    assert early.limit_verdict in (whole.limit_verdict, LimitJudgement.INCONCLUSIVE)
    assert differences(grown(damaged), damaged) == []
