# SPDX-License-Identifier: GPL-2.0-or-later
"""Which samples are held against the oracle, which are not and why: counted, and both sides of each threshold."""

import pytest

from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import MBPS, Pass, answers, completed, event, made, precopy

FIRST_PASS = "first pass: all of RAM is sent, nothing is predicted"
SETTLING = "before the first update after the sync"
FIRST = Pass(30_000)
ONE = Pass(20_000, expected_ms=2000)
"""Of 101 samples in 2 s; 10 of them come within 0.2 s of the sync."""


def judged(rows, **more):
    return judge(made(rows, **more))


def test_of_a_clean_pass_all_count_but_those_before_the_first_update():
    verdict = judged(precopy(FIRST, ONE))
    assert (verdict.samples_used, verdict.samples_dropped) == (91, {FIRST_PASS: 151, SETTLING: 10})
    settling_s = [3.001 + 0.02 * n for n in range(10)]
    assert verdict.dropped_at_s[SETTLING] == pytest.approx(settling_s)
    assert verdict.dropped_at_s[FIRST_PASS] == pytest.approx([0.02 * n for n in range(151)])


@pytest.mark.parametrize(("moved_ms", "settling"), [(-1, 11), (1, 10)])
def test_a_report_counts_from_a_fifth_of_a_second_after_the_sync(moved_ms, settling):
    rows = precopy(FIRST, ONE)
    rows[151 + 10]["t"] += moved_ms / 1000
    assert judged(rows).samples_dropped[SETTLING] == settling


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("mbps", 0.8, "hardly anything was sent: QEMU computes nothing"),  # 10 000 bytes in 100 ms
        ("dirty-pages-rate", 0, "dirty-pages-rate is 0: QEMU computes nothing"),
        ("expected-downtime", None, "no expected-downtime reported"),
    ],
)
def test_a_sample_at_which_qemu_computes_nothing_does_not_count(field, value, reason):
    rows = precopy(FIRST, ONE)
    for answer in list(answers(rows, 2))[50:60]:
        if value is None:
            del answer[field]
        else:
            answer["ram"][field] = value
    verdict = judged(rows)
    assert verdict.samples_dropped[reason] == 10
    assert verdict.dropped_at_s[reason] == pytest.approx([4.001 + 0.02 * n for n in range(10)])
    assert verdict.samples_used == (80 if field == "mbps" else 81)  # The bandwidth has changed back then.


@pytest.mark.parametrize(("mbps", "used"), [(0.8, 0), (0.81, 91)])
def test_up_to_ten_thousand_bytes_in_a_window_nothing_is_computed(mbps, used):
    """The report is what it was, however far that is from what such a bandwidth makes right."""
    rows = precopy(FIRST, Pass(20_000, mbps=mbps))
    renewed_after(rows, 2)
    verdict = judged(rows)
    assert verdict.samples_used == used
    assert (verdict.verdict == "inaccurate") == bool(used)


@pytest.mark.parametrize(("period_ms", "dropped"), [(99, 2), (101, 0)])
def test_a_bandwidth_that_has_just_changed_may_be_torn_where_samples_come_faster_than_it_is_renewed(period_ms, dropped):
    rows = precopy(FIRST, Pass(40_000, period_ms=period_ms, expected_ms=4000))
    list(answers(rows, 2))[20]["ram"]["mbps"] = 1.002 * MBPS
    found = judged(rows).samples_dropped.get(
        "mbps changed since the previous sample: the figures may not belong together", 0
    )
    assert found == dropped


def renewed_after(rows, number):
    """Let the first sample of a pass still show a bandwidth of before, so that the next one shows an update."""
    next(answers(rows, number))["ram"]["mbps"] = 1.001 * MBPS


@pytest.mark.parametrize(("stalled_ms", "used"), [(0, 91), (190, 91), (700, 65), (1300, 35), (1900, 5)])
def test_until_the_first_update_after_a_sync_nothing_counts_however_long_that_takes(stalled_ms, used):
    """The report is the downtime-limit until then, beside the bandwidth of the first pass, which was of zero pages."""
    rows = precopy(FIRST, ONE)
    for answer in list(answers(rows, 2))[: stalled_ms // 20]:
        answer["expected-downtime"] = 1
        answer["ram"]["mbps"] = 0.02 * MBPS
    verdict = judged(rows)
    assert (verdict.report.code, verdict.samples_used) == ("accurate", used)


def few(before, after):
    """Passes of which the one before has so many samples, and the one after so many that can be used."""
    rows = precopy(FIRST, ONE, ONE)
    seen = {2: [0, *range(101 - before + 1, 101)], 3: [0, 1, *range(101 - after, 101)]}
    renewed_after(rows, 3)
    index = {2: 0, 3: 0}
    kept = []
    for row in rows:
        number = row["query-migrate"]["ram"]["dirty-sync-count"]
        if number == 1 or index[number] in seen[number]:
            kept.append(row)
        if number > 1:
            index[number] += 1
    return kept


def test_three_samples_of_a_pass_and_of_that_before_are_needed():
    verdict = judged(few(3, 3))
    assert verdict.passes == 1 and verdict.samples_used == 3
    verdict = judged(few(2, 3))
    doubt = "fewer than 3 samples in it or in the previous pass"
    assert verdict.passes == 0
    assert f"passes 2 to 3 are not judged: {doubt}" in verdict.reasons
    assert verdict.samples_dropped[f"the pass cannot be judged: {doubt}"] == 7


def test_three_usable_samples_of_a_pass_are_needed():
    verdict = judged(few(3, 2))
    assert "pass 3 is not judged: 2 usable samples, but 3 are needed" in verdict.reasons
    assert verdict.samples_dropped["too few usable samples in the pass"] == 2
    assert verdict.reasons[0] == (
        "no pass could be judged: two passes in a row with samples are needed, the second with reports; "
        "QEMU's figure is at least the 0.0 ms left to send now, as it should be"
    )


SYNCS_OFTEN = ", but with postcopy-ram QEMU {} syncs in each window of 100 ms, except on hugepages"


@pytest.mark.parametrize(
    ("capabilities", "major", "why"),
    [
        (["postcopy-ram"], 11, SYNCS_OFTEN.format(11)),
        (["postcopy-ram"], 12, SYNCS_OFTEN.format(12)),
        (["postcopy-ram"], 10, ""),
        (["postcopy-ram"], None, ""),
        (["xbzrle"], 11, ""),
    ],
)
def test_why_no_pass_is_long_enough_is_said_where_it_is_qemus_way_to_sync(capabilities, major, why):
    release = {"qemu": {"qemu": {"major": major, "minor": 1, "micro": 3}}} if major else {}
    verdict = judged(few(3, 2), header={"capabilities": capabilities, **release})
    assert verdict.reasons[0].split(";")[0].endswith(f"the second with reports{why}")


@pytest.mark.parametrize(("page_bytes", "why"), [(4096, SYNCS_OFTEN.format(11)), (2 << 20, "")])
def test_on_hugepages_it_is_not_the_reason(page_bytes, why):
    release = {"qemu": {"qemu": {"major": 11, "minor": 1, "micro": 3}}, "backing_page_size": page_bytes}
    verdict = judged(few(3, 2), header={"capabilities": ["postcopy-ram"], **release})
    assert verdict.reasons[0].split(";")[0].endswith(f"the second with reports{why}")


@pytest.mark.parametrize(
    ("spread", "told_mb", "doubtful"), [(199, "0.8", False), (201, "0.8", True), (5_896, "24.2", True)]
)
@pytest.mark.parametrize("number", [2, 3])
def test_a_pass_is_not_judged_where_bytes_spread_by_more_than_the_tolerance(spread, told_mb, doubtful, number):
    """By 1 % of the 20 000 pages at the sync; what the sync found is the same, by the samples next to it."""
    rows = precopy(FIRST, ONE, ONE)
    for answer in list(answers(rows, number))[10:61]:
        answer["ram"]["remaining"] += spread * 4096
    verdict = judged(rows)
    doubt = (
        f"remaining and sent bytes do not add up in pass {number} (they spread by {told_mb} MB): "
        "pages are skipped or recounted"
    )
    told = f"pass 3 is not judged: {doubt}" if number == 3 else f"passes 2 to 3 are not judged: {doubt}"
    assert (told in verdict.reasons) == doubtful
    assert (verdict.samples_dropped.get(f"the pass cannot be judged: {doubt}", 0) >= 101) == doubtful
    assert verdict.passes == (2 if not doubtful else 0 if number == 2 else 1)


def test_a_pass_after_one_that_was_missed_is_not_judged():
    rows = [row for row in precopy(FIRST, ONE, ONE, ONE) if row["query-migrate"]["ram"]["dirty-sync-count"] != 3]
    verdict = judged(rows)
    assert verdict.passes == 1
    assert "pass 4 is not judged: pass 3 was not sampled, or was too short" in verdict.reasons
    assert verdict.samples_dropped["the previous pass was not sampled, or too short for a bandwidth"] == 101


def test_a_pass_after_one_without_a_bandwidth_is_not_judged():
    verdict = judged(precopy(FIRST, Pass(20_000, mbps=0), ONE))
    assert verdict.passes == 0
    assert "pass 3 is not judged: pass 2 was not sampled, or was too short" in verdict.reasons


@pytest.mark.parametrize(("latency_ms", "used"), [(9, 91), (11, 90)])
def test_a_sample_that_was_answered_after_the_stop_belongs_to_no_pass(latency_ms, used):
    rows = precopy(FIRST, ONE)
    rows[-1]["latency_ms"] = latency_ms
    stop = event(rows[-1]["t"] + 0.01, "source", "STOP")
    assert judged([*rows, completed(rows)], events=[stop]).samples_used == used
    # A guest that went on again was not stopped to complete the migration.
    gone_on = event(rows[-1]["t"] + 0.02, "source", "RESUME")
    assert judged([*rows, completed(rows)], events=[stop, gone_on]).samples_used == 91
    # Where the recording ends there, that may have been the switchover.
    assert judged(rows, events=[stop]).samples_used == used


ENDS = {"failed": "the migration failed", "cancelled": "the migration was cancelled"}


@pytest.mark.parametrize("status", ["failed", "cancelled", "device"])
def test_how_a_migration_ended_is_told(status):
    rows = precopy(FIRST, ONE)
    ended = completed(rows)
    ended["query-migrate"]["status"] = status
    reasons = judged([*rows, ended]).reasons
    assert [reason for reason in reasons if reason in ENDS.values()] == [*filter(None, [ENDS.get(status)])]
