# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest says which of its pages are free (virtio-balloon's free-page-hint), and QEMU skips them after a sync.

QEMU's report is of the sync, before it skipped any.
"""

import pytest

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement
from selftests.support.traces import PAGE_BYTES, Pass, made, precopy

PAGES, PASSES = 20_000, 5


def skipping(pages, in_s):
    """Passes from whose begin on so many pages are skipped, evenly within that time."""
    rows, begun_s, skipped = precopy(*[Pass(PAGES)] * PASSES), {}, {}
    for row in rows:
        ram = row["query-migrate"]["ram"]
        number = ram["dirty-sync-count"]
        if number == 1:
            continue
        share = min(1.0, (row["t"] - begun_s.setdefault(number, row["t"])) / in_s)
        skipped[number] = max(skipped.get(number, 0), min(round(pages * share), ram["remaining"] // PAGE_BYTES))
        left = ram["remaining"] // PAGE_BYTES - skipped[number]
        ram["remaining"] = max(0, left) * PAGE_BYTES
        ram["normal"] += min(0, left) - sum(skipped.values()) + skipped[number]
    return made(rows)


@pytest.mark.parametrize("in_s", [0.05, 0.1, 0.2, 0.4, 1.0])
@pytest.mark.parametrize("pages", [300, 500, 1000, 4000])
def test_a_correct_report_is_not_called_wrong(pages, in_s):
    assert judge(skipping(pages, in_s)).verdict is not Judgement.INACCURATE


def test_k_falls_as_the_pass_begins():
    evidence = Evidence.of(skipping(500, 0.1))
    spread = [one.spread_bytes for one in evidence.passes[1:]]
    assert len(spread) == PASSES - 1 and min(spread) > 0.01 * PAGES * PAGE_BYTES
    assert any("pages are skipped or recounted" in reason for reason in judge(evidence).reasons)
    assert [one.spread_bytes for one in Evidence.of(skipping(0, 0.1)).passes] == [0] * PASSES
