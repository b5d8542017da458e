# SPDX-License-Identifier: GPL-2.0-or-later
"""What is taken to have been left at a dirty sync on hugepages is what was left."""

import random

from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.seam import Seam
from avocado_migdowntime.oracle.syncs import others_after

from ..support.examples import examples
from ..support.simulate_hugepages import PAGE, OnHugepages, sampled


@examples(25)
@given(
    seed=st.integers(0, 2**32),
    dirtied_mib=st.integers(1, 6),
    firmware=st.integers(0, 40),
    top=st.booleans(),
    beside=st.sampled_from([40, 130, 200]),
    window_pages=st.integers(20, 300),
    limit_ms=st.sampled_from([1, 50, 100, 300, 1000]),
    first_limit_ms=st.sampled_from([None, 1, 1, 10]),
    hold_s=st.sampled_from([0.0, 0.0, 0.03]),
    pause_s=st.floats(0.00005, 0.02),
    late_s=st.floats(0, 0.003),
    held_up_s=st.sampled_from([0.0, 0.25]),
)
def test_what_was_left_is_within_what_it_is_taken_for(
    seed, dirtied_mib, firmware, top, beside, window_pages, limit_ms, first_limit_ms, hold_s, pause_s, late_s, held_up_s
):
    run = OnHugepages(
        seed,
        dirtied_mib=dirtied_mib,
        firmware=firmware,
        top=top,
        beside=beside,
        window_pages=window_pages,
        limit_ms=limit_ms,
        first_limit_ms=first_limit_ms,
        hold_s=hold_s,
    )
    run.run()
    dice = random.Random(seed)
    # Of 30 answers one is held up by a busy host.
    evidence = Evidence.of(
        sampled(run, 0.01, pause_s, lambda: dice.uniform(0, late_s if dice.randrange(30) else max(late_s, held_up_s)))
    )
    for sync in evidence.syncs:
        left = run.left[sync.before.number]
        seam = Seam(sync.before, sync.after)
        if left and seam.sent_bytes[0] - seam.last.remaining_bytes in (0, PAGE):
            continue  # By chance just as much has gone out at the first answer, a page that was on its way included.
        assert sync.unsent_bytes.low <= left <= sync.unsent_bytes.high, (sync.before.number, left, sync.unsent_bytes)
        if seam.answered_s[0] > 0.1:
            continue  # The bandwidth that the limit was multiplied by may not have been seen.
        found, taken = run.found[sync.before.number], sync.at_sync_bytes
        assert taken.low - PAGE <= found <= taken.high + PAGE, (sync.before.number, found, taken)
    # A part that is told what was before it says the same.
    syncs = evidence.syncs
    for row, sync in enumerate(syncs):
        known = others_after(evidence.others, syncs[:row])
        later = evidence.syncs_between([one for one in evidence.passes if one.number >= sync.before.number], known)
        assert [one.unsent_bytes for one in later] == [one.unsent_bytes for one in syncs[row:]]
        if first_limit_ms is not None and not row:
            continue  # Two limits held from there on.
        part = evidence.while_held(limit_ms, sync.before.begin_s, evidence.samples.t_s[-1] + 1)
        assert [one.unsent_bytes for one in part.syncs] == [one.unsent_bytes for one in syncs[row:]]
