# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of recordings that say less than the whole, and why: nothing is advised where something else may be so."""

import math
from dataclasses import replace

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.prediction.observed import observe
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement
from selftests.support.contradictions import real, simulated
from selftests.support.printed import FORMS

SLOWED = "ppc64-tcg-qemu-7.2-slowed-at-the-end.jsonl.gz"


def printed(name, form, begin=0, end=None, every=1):
    """A recording, or some of its samples, as a program prints it."""
    known = real(name)
    return parse(FORMS[form](known.header, known.answers[begin:end:every], known.events).encode())


def doubt(trace):
    """Why nothing is advised."""
    advice = advise(trace)
    assert (advice.finding, advice.limit_ms, advice.steps_ms) == (Finding.UNKNOWN, None, ())
    return advice.reasons[0]


def test_a_limit_that_a_text_shows_bounds_nothing_as_nobody_knows_who_changed_it():
    trace = printed("x86_64-kvm-qemu-7.2-limit-700ms.jsonl.gz", "with parameters", every=4)
    assert (trace.downtime_limit_ms, Evidence.of(trace).limits.steps) == (700, ())
    verdict = judge(trace)
    assert (verdict.limit.code, verdict.downtime_limit_ms) == ("not-tracked", 700)


def test_once_it_completed_a_text_tells_what_it_was():
    """Its harness raised the limit from 1 ms, of which the text tells nothing."""
    trace = printed("ppc64-tcg-qemu-7.2-busy-host-xbzrle.jsonl.gz", "with parameters", begin=-150)
    assert doubt(trace) == "the migration completed, and the guest was down for 71 ms; QEMU predicts nothing now"


def test_the_bandwidth_of_zero_pages_is_not_that_of_the_next_pass():
    trace = printed(SLOWED, "recording", end=next(n for n, row in enumerate(real(SLOWED).answers) if row[0] > 2.45))
    assert Evidence.of(trace).passes[-1].number == 2
    assert doubt(trace) == "QEMU has not yet shown its bandwidth for pages that are not zero"
    # What follows from a bandwidth is not told either.
    advice = advise(trace)
    assert (advice.reasons, advice.syncs_seen) == ((doubt(trace),), 1)
    assert (advice.best_point, advice.range_ms, advice.down, advice.bandwidth_bytes_per_ms) == (None,) * 4


def test_a_bandwidth_that_changes_as_the_second_pass_begins_may_be_of_what_came_before():
    name = "x86_64-tcg-qemu-7.2-postcopy-recovered.jsonl.gz"
    rows = [min(real(name).answers, key=lambda row: abs(row[0] - t_s)) for t_s in (2.67, 2.687, 2.713)]
    trace = parse(FORMS["domjobinfo"](real(name).header, rows, ()).encode())
    assert [sample.ram.dirty_sync_count for sample in trace.samples] == [1, 1, 2]
    assert doubt(trace) == "QEMU has not yet shown its bandwidth for pages that are not zero"


def test_what_was_needed_before_something_was_changed_is_not_seen_after():
    """`FINISH` lets it complete under the greatest limit."""
    finished_s = next(row["t"] for row in real(SLOWED).events if row["event"]["event"] == "FINISH")
    begin = next(number for number, row in enumerate(real(SLOWED).answers) if row[0] > finished_s)
    assert doubt(printed(SLOWED, "recording", begin)) == (
        "the migration was changed before the first sample, so it is unknown what it needed until then"
    )


def test_a_text_does_not_tell_who_changed_the_bandwidth():
    trace = printed("ppc64-tcg-qemu-7.2-stopped-in-mid-pass.jsonl.gz", "query-migrate, lines", end=-5)
    assert trace.samples[-1].status == "active"
    assert doubt(trace).startswith("the bandwidth changed between ")


CUT = "ppc64-tcg-qemu-7.2-cap-raised-in-a-window.jsonl.gz"
"""Its bandwidth was cut to a third between the last two answers of the next tests, 0.3 s apart."""


def cut_within(changed=lambda ram: ram):
    known = real(CUT)
    rows = [next(row for row in known.answers if row[0] >= wanted_s) for wanted_s in (1.27, 1.57, 1.87)]
    t_s, latency_ms, answer = rows[1]
    rows[1] = t_s, latency_ms, {**answer, "ram": changed(answer["ram"])}
    trace = parse(FORMS["domjobinfo"](known.header, rows, ()).encode())
    assert [sample.ram.dirty_sync_count for sample in trace.samples] == [1, 2, 2]
    return trace


def test_a_bandwidth_that_one_answer_shows_and_another_does_not_is_not_known():
    assert doubt(cut_within()) == (
        "only a few answers show a bandwidth, between 12.6 MB/s and 37.6 MB/s, and it is unknown which is typical"
    )


def test_a_bandwidth_that_answers_show_and_their_pages_deny_is_not_known():
    assert doubt(cut_within(lambda ram: {**ram, "mbps": 100.5})) == (
        "QEMU shows 12.6 MB/s, but pages were sent at 23.5 MB/s: it is unknown which of these QEMU compares with the "
        "limit"
    )


def test_of_few_bandwidths_that_differ_none_is_the_usual_one():
    known = real("x86_64-tcg-qemu-11.1-multifd.jsonl.gz")
    times = (2.407, 2.547, 2.680, 2.808, 2.938, 3.193)
    kept = [min(known.answers, key=lambda row: abs(row[0] - t_s)) for t_s in times]
    trace = parse(FORMS["domjobinfo"](known.header, kept, ()).encode())
    assert doubt(trace) == (
        "only a few answers show a bandwidth, between 31.5 MB/s and 52.9 MB/s, and it is unknown which is typical"
    )


def test_of_few_bandwidths_of_a_recording_none_is_the_usual_one_if_they_differ_by_more_than_twice():
    known = real("ppc64-tcg-qemu-7.2-busy-host-xbzrle.jsonl.gz")
    times = (0.603, 1.483, 2.346, 3.221, 4.102, 4.982, 5.841)
    kept = [min(known.answers, key=lambda row: abs(row[0] - t_s)) for t_s in times]
    trace = parse(FORMS["recording"](known.header, kept, ()).encode())
    assert doubt(trace) == (
        "only a few answers show a bandwidth, between 0.4 MB/s and 12.0 MB/s, and it is unknown which is typical"
    )


def test_what_a_sync_found_at_most_is_not_made_more_for_being_uneven():
    """Of a sync that found 103.8 to 107.5 MB, as it is known without the limit: 103.8 MB, by the whole."""
    known = real("x86_64-kvm-qemu-7.2.jsonl.gz")
    times = [0.05 + 0.25 * row for row in range(21)]
    kept = [min(known.answers, key=lambda row: abs(row[0] - t_s)) for t_s in times]
    trace = parse(FORMS["with parameters"](known.header, kept, ()).encode())
    found = Evidence.of(trace).syncs[-1].at_sync_bytes
    assert (round(found.low / 1e6, 1), round(found.high / 1e6, 1)) == (103.8, 107.5)
    assert advise(trace).limit_ms == 2347 and known.advice.range_ms.high == 2399


@pytest.mark.long
@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("every", [5, 15, 40, 200])
def test_no_form_and_no_period_makes_the_bug_of_before_3_0_another_or_none(form, every):
    trace = printed("ppc64-tcg-qemu-7.2-with-dirty-rate-formula.jsonl.gz", form, every=every)
    verdict = judge(trace)
    assert (verdict.verdict, verdict.formula) in (
        (Judgement.INACCURATE, "dirty-rate"),
        (Judgement.INCONCLUSIVE, None),
    )
    limit_ms = advise(trace).limit_ms
    assert limit_ms is None or 5441 <= limit_ms <= 6352


def test_rounding_leaves_open_what_it_does():
    """Whole MiB and Mbps: remaining by half a MiB, the bandwidth by half an Mbps, so the bytes at a sync by a MiB."""
    exact = printed("x86_64-kvm-qemu-7.2.jsonl.gz", "query-migrate, lines")
    rounded = printed("x86_64-kvm-qemu-7.2.jsonl.gz", "KubeVirt")
    assert rounded.samples.open_bytes.max() == pytest.approx(1 << 19, rel=0.01)
    assert rounded.samples.open_mbps.max() == pytest.approx(0.5, rel=0.01)
    assert (exact.samples.open_bytes.max(), exact.samples.open_mbps.max()) == (0, 0)
    for sharp, blurred in zip(Evidence.of(exact).syncs, Evidence.of(rounded).syncs, strict=True):
        assert sharp.at_sync_bytes.within(blurred.at_sync_bytes)
        assert blurred.at_sync_bytes.width >= sharp.at_sync_bytes.width + (1 << 20)
        assert sharp.bytes_per_ms.within(blurred.bytes_per_ms)


def test_a_second_pass_that_was_hardly_seen_shows_no_switchover_that_came_early():
    """The bandwidth shown is that of zero pages, which went before the first of its samples."""
    name = "ppc64-tcg-qemu-7.2-asked-while-it-switched-over.jsonl.gz"
    begin = next(n for n, row in enumerate(real(name).answers) if row[2].get("ram", {}).get("dirty-sync-count") == 2)
    trace = printed(name, "recording", begin)
    last = replace(trace, samples=[trace.samples[0], trace.samples[-1]])
    assert (judge(last).limit.code, judge(trace).limit.code) == ("no-end-seen", "respected")


def test_what_the_first_pass_left_unsent_is_reckoned_with_as_nobody_knows_whether_it_is_dirtied():
    """Of 156 MB that the first sync found 40 were unsent, which the guest dirties as well: each sync finds as much."""
    whole = simulated(116)
    end = next(number for number, (_, _, answer) in enumerate(whole.answers) if _syncs(answer) == 3)
    advice = advise(parse(FORMS["recording"](whole.header, whole.answers[: end - 10], ()).encode()))
    needed_ms = 156.4e6 / 62_095
    assert advice.limit_ms > needed_ms and advice.limit_ms == pytest.approx(whole.advice.limit_ms, rel=0.01)
    assert advice.range_ms.low < (156.4e6 - 39.7e6) / 62_095 < needed_ms < advice.range_ms.high
    assert "the first pass left 39.7 MB of that unsent; less may do if the guest dirties none of it" in advice.reasons


def _syncs(answer):
    return answer.get("ram", {}).get("dirty-sync-count")


def test_what_was_unsent_is_part_of_what_the_guest_dirties_though_no_end_of_that_is_seen():
    """Longer passes dirtied the more: what each sync found is foretold as that, not as all of it and the unsent."""
    whole = simulated(304)
    trace = parse(FORMS["recording"](whole.header, [row for row in whole.answers if row[0] < 6.45], ()).encode())
    precopy = observe(Evidence.of(trace))
    assert precopy.curve.asymptote_bytes == math.inf
    assert precopy.surprises == pytest.approx([1, 1, 1, 1], abs=0.05)
    assert precopy.next_bytes(precopy.curve.likely_pending) < precopy.syncs[0].at_sync_bytes.high
