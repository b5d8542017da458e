# SPDX-License-Identifier: GPL-2.0-or-later
"""One look at a migration: on either side of each line that it is judged by, and in which words."""

import json
from dataclasses import replace

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.verdict.judge import judge
from selftests.support.samples import TEN_SECONDS_LEFT

RAM = replace(TEN_SECONDS_LEFT, dirty_pages_per_s=15_258)
"""62.5 MB/s are dirtied, so that dirty-rate gives 499.974 ms."""
NOTE = "a single sample is judged by what is left now, not by what was left at the last sync; record it for more"
NO_REMAINING = "how much RAM is left is not shown; give the whole text, or record the migration"
UNLESS = "unless it was taken before the first update after a sync, or avail-switchover-bandwidth is set"
LEFT = "10000.0 ms are left to send now"
BEGINS = "QEMU reports the downtime-limit or its initial value until it has computed something"


def looked(reported_ms, contract="last-sync", status="active", ram=RAM, header=None, sample=None, **of_ram):
    """The verdict on one look."""
    one = Sample(0, 0, status, reported_ms, ram=ram and replace(ram, **of_ram), **(sample or {}))
    return judge(Trace((one,), header=header or {}, snapshot=True), contract)


def answer(verdict):
    """Its word, its code, the formula that was recognised, and the sentence."""
    assert verdict.reasons[0] == verdict.report.sentence and verdict.passes == 0
    return verdict.verdict.value, verdict.report.code, verdict.formula, verdict.reasons[0]


@pytest.mark.parametrize(
    ("reported_ms", "code", "sentence"),
    [
        (
            9898.0, "below-what-is-left",
            f"QEMU's figure is below the 10000.0 ms left to send now, so it is wrong {UNLESS}",
        ),
        (9899.0, "plausible", "QEMU's figure is below the 10000.0 ms left to send now, but within the tolerance"),
        (9950.0, "plausible", "QEMU's figure is below the 10000.0 ms left to send now, but within the tolerance"),
        (10_001.0, "plausible", "QEMU's figure is at least the 10000.0 ms left to send now, as it should be"),
        (25_000.0, "plausible", "QEMU's figure is at least the 10000.0 ms left to send now, as it should be"),
    ],
)  # fmt: skip
def test_no_report_is_wrong_for_being_below_what_is_left_or_right_for_being_above(reported_ms, code, sentence):
    """QEMU truncates: what it shows as 9899 ms may be all but 9900, which 10000 - 1 % are."""
    verdict = looked(reported_ms)
    assert answer(verdict) == ("inconclusive", code, None, sentence)
    assert verdict.reasons[1] == NOTE
    assert verdict.left_now_ms == verdict.expected_ms == pytest.approx(10_000)
    assert (verdict.relative_error is not None) == (code != "plausible")


@pytest.mark.parametrize("contract", ["last-sync", "dirty-rate"])
@pytest.mark.parametrize(("reported_ms", "recognised"), [(498.0, False), (499.0, True), (500.0, False)])
def test_a_report_is_that_of_a_formula_to_the_millisecond(contract, reported_ms, recognised):
    found = answer(looked(reported_ms, contract))
    if not recognised:
        code = "below-what-is-left" if contract == "last-sync" else "no-formula"
        assert found[:3] == ("inconclusive", code, None)
    elif contract == "dirty-rate":
        assert found == ("accurate", "accurate", "dirty-rate", "the report matches dirty-rate")
    else:
        sentence = f"the report matches dirty-rate (500.0 ms), a rate instead of an amount; {LEFT}"
        assert found == ("inaccurate", "another-formula", "dirty-rate", sentence)


@pytest.mark.parametrize(("left", "named"), [(0.64, True), (0.62, False), (0.1, False)])
def test_a_rate_is_named_only_where_the_report_can_be_no_amount(left, named):
    """Just below what is left it may be that of the pass before, above it what was left at the sync."""
    verdict = looked(499.0, remaining_bytes=round(125_000_000 * left))
    assert (verdict.formula, verdict.report.code) == (
        ("dirty-rate", "another-formula") if named else (None, "formulas-alike")
    )
    if left < 0.5:
        assert verdict.reasons[0] == (
            f"the report fits last-sync and dirty-rate, which one sample cannot distinguish; {1000 * left:.1f} ms are "
            "left to send now"
        )


@pytest.mark.parametrize(("rate", "named"), [(3_200, True), (3_000, False)])
def test_a_rate_of_less_than_100_ms_is_met_by_chance(rate, named):
    dirtied_ms = rate * 4096 / 125_000
    assert (looked(float(int(dirtied_ms)), dirty_pages_per_s=rate).formula == "dirty-rate") == named


def test_what_is_not_the_dirty_rate_may_be_that_of_the_pass_before_where_that_is_the_contract():
    assert answer(looked(20_000.0, "dirty-rate")) == (
        "inconclusive", "no-formula", None, f"the report does not match dirty-rate, {UNLESS}; {LEFT}",
    )  # fmt: skip


def test_what_is_left_now_may_be_what_was_left_at_the_sync():
    sentence = f"the report fits last-sync and live, which one sample cannot distinguish; {LEFT}"
    assert answer(looked(10_000.0, "live")) == ("inconclusive", "formulas-alike", None, sentence)
    assert answer(looked(10_000.0, "last-sync"))[1:] == ("formulas-alike", None, sentence)


@pytest.mark.parametrize(
    ("reported_ms", "fits"), [(9949.0, False), (9950.0, True), (10_050.0, True), (10_051.0, False)]
)
def test_a_bandwidth_of_two_digits_leaves_open_what_it_was_divided_by(reported_ms, fits):
    """1.00 Mbps are from 0.995 to 1.005: of 1.25 MB, from 9950.2 to 10050.3 ms."""
    verdict = looked(reported_ms, "live", remaining_bytes=1_250_000, mbps=1.0, dirty_pages_per_s=1)
    assert verdict.report.code == ("formulas-alike" if fits else "no-formula")


@pytest.mark.parametrize(
    ("reported_ms", "code"),
    [(12_374_998.0, "below-what-is-left"), (12_375_000.0, "plausible"), (20_000_000.0, "plausible")],
)
def test_without_a_bandwidth_it_is_judged_by_the_mean_one_and_told_at_which_it_would_be_what(reported_ms, code):
    """12 500 s are left at 100 MB/s; 1 % less is about as much."""
    ram = {"remaining": 1_250_000_000_000, "transferred": 100_000_000_000, "page-size": 4096, "normal": 24_414_062}
    counts = {"duplicate": 0, "dirty-sync-count": 2, "dirty-pages-rate": 15_258}
    answer = {"status": "active", "expected-downtime": reported_ms, "total-time": 1_000_000, "ram": {**ram, **counts}}
    report = judge(parse(json.dumps({"return": answer}).encode())).report
    dirtied_mbps, left_mbps = 100 * 624.97 / reported_ms, 100 * 12_500_000 / reported_ms
    assert (report.code, report.sentence) == (
        code,
        f"no bandwidth is shown: {reported_ms:.0f} ms fit dirty-rate at {dirtied_mbps:.0f} MB/s or what is left now at "
        f"{left_mbps:.0f} MB/s; at the mean of 100 MB/s, 12500.0 s are left",
    )


@pytest.mark.parametrize(
    ("shown", "code", "sentence"),
    [
        ({"status": "completed"}, "ended", "the migration completed; QEMU predicts nothing now"),
        (
            {"status": "completed", "sample": {"downtime_ms": 76}}, "ended",
            "the migration completed, and the guest was down for 76 ms; QEMU predicts nothing now",
        ),
        ({"status": "failed"}, "ended", "the migration has failed; QEMU predicts nothing now"),
        ({"status": "cancelled"}, "ended", "the migration was cancelled; QEMU predicts nothing now"),
        ({"status": "cancelling"}, "ended", "the migration is being cancelled; QEMU predicts nothing now"),
        ({"status": "failing"}, "ended", "the migration is failing; QEMU predicts nothing now"),
        ({"status": "device"}, "not-active", "the migration is device, not active; QEMU predicts nothing"),
        (
            {"status": "postcopy-active", "sample": {"downtime_ms": 16}}, "postcopy",
            "postcopy has begun, and finishes whatever the downtime-limit is; the guest was down "
            "for 16 ms",
        ),
        ({"ram": None}, "nothing-shown", NO_REMAINING),
        (
            {"sample": {"disk_bytes": 194e9}}, "disk",
            "a disk is migrated as well, and no downtime-limit ends the migration while 194 GB of it are left; "
            "sending the RAM left takes 10000 ms",
        ),
        ({"dirty_sync_count": 1}, "first-pass", f"this is the first pass, which sends all of RAM: {BEGINS}"),
        (
            {"dirty_sync_count": 0}, "first-pass",
            f"no count of dirty syncs is shown, so this may be the first pass: {BEGINS}",
        ),
        (
            {"mbps": 0.0}, "no-bandwidth",
            "the throughput is 0: QEMU has measured nothing yet, or sends nothing now",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("contract", ["last-sync", "dirty-rate"])
def test_from_a_look_at_another_moment_nothing_follows(shown, code, sentence, contract):
    verdict = looked(**{"reported_ms": 499.0, "contract": contract, **shown})
    assert answer(verdict) == ("inconclusive", code, None, sentence)
    assert (verdict.expected_ms, verdict.relative_error, verdict.passed) == (None, None, None)


@pytest.mark.parametrize(
    ("reported_ms", "shown", "code", "sentence"),
    [
        (None, {}, "nothing-shown", f"no expected downtime is shown; {LEFT}"),
        (499.0, {"dirty_pages_per_s": 0}, "nothing-computed", f"dirty-pages-rate is 0: QEMU computes nothing; {LEFT}"),
        (
            300.0, {}, "nothing-computed",
            f"300 ms may be QEMU's initial value, not a computed one; {LEFT}",
        ),
        (300.0, {"dirty_sync_count": 3}, "below-what-is-left", None),
    ],
)  # fmt: skip
def test_a_report_that_qemu_may_not_have_computed_says_nothing(reported_ms, shown, code, sentence):
    found = answer(looked(reported_ms, **shown))
    assert found[:3] == ("inconclusive", code, None)
    assert sentence is None or found[3] == sentence


def test_what_it_begins_by_is_the_limit_where_that_is_known():
    header = {"migrate-parameters": {"downtime-limit": 20_000}}
    assert looked(20_000.0, header=header).report.code == "nothing-computed"
    assert looked(300.0, header=header).report.code == "below-what-is-left"


def test_all_that_was_sent_tells_a_later_pass_where_syncs_are_not_counted():
    sent = {"sent_pages": 400_000, "dirty_sync_count": 0}
    assert looked(20_000.0, sample={"total_bytes": 2.8e9}, **sent).report.code == "plausible"
    assert looked(20_000.0, sample={"total_bytes": 3.0e9}, **sent).report.code == "first-pass"


@pytest.mark.parametrize(("contract", "expected_ms"), [("last-sync", 11_173_310.0), ("dirty-rate", 555_544.0)])
def test_what_the_report_is_held_against_is_shown_at_any_bandwidth(contract, expected_ms):
    verdict = looked(500_000.0, contract, mbps=0.9)
    assert verdict.expected_ms == pytest.approx(expected_ms, rel=0.006)
    assert verdict.relative_error == pytest.approx(500_000 / verdict.expected_ms - 1)
    assert looked(None, contract).relative_error is None


def test_a_look_with_a_header_tells_the_limit_of_that():
    verdict = looked(10_000.0, header={"migrate-parameters": {"downtime-limit": 317}})
    assert (verdict.downtime_limit_ms, verdict.limit.code, verdict.passes) == (317, "single-look", 0)
