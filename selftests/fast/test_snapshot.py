# SPDX-License-Identifier: GPL-2.0-or-later
"""One look at a migration: on either side of each line that it is judged by, and in which words."""

from dataclasses import replace

import pytest

from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.samples import Sample
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement
from selftests.support.samples import TEN_SECONDS_LEFT

RAM = replace(TEN_SECONDS_LEFT, dirty_pages_per_s=15_258)
"""62.5 MB/s are dirtied, so that dirty-rate gives 499.974 ms."""
NOTE = "a single snapshot is judged by what is left now, not by what was left at the last sync"


def looked(reported_ms, contract="last-sync", status="active", ram=RAM, **of_ram):
    """The verdict on one look."""
    sample = Sample(0, 0, status, reported_ms, ram=ram and replace(ram, **of_ram))
    return judge(Trace((sample,), snapshot=True), contract)


def answer(verdict):
    """Its word, its code, the formula that was recognised, and the sentence."""
    assert verdict.reasons == (verdict.report.sentence, NOTE)
    assert verdict.samples_used == (verdict.verdict is not Judgement.INCONCLUSIVE)
    return verdict.verdict.value, verdict.report.code, verdict.formula, verdict.reasons[0]


@pytest.mark.parametrize(
    ("reported_ms", "verdict", "code", "sentence"),
    [
        (
            9898.0, "inaccurate", "below-what-is-left",
            "the report is below the 10000.0 ms that are left to send even now "
            "(unless it was taken within 0.2 s of a sync, or avail-switchover-bandwidth is set)",
        ),
        (9899.0, "inconclusive", "plausible", "the report is not below the 10000.0 ms that are left to send now"),
        (9950.0, "inconclusive", "plausible", "the report is not below the 10000.0 ms that are left to send now"),
        (25_000.0, "inconclusive", "plausible", "the report is not below the 10000.0 ms that are left to send now"),
    ],
)  # fmt: skip
def test_a_report_below_what_is_left_by_more_than_the_tolerance_is_wrong(reported_ms, verdict, code, sentence):
    """QEMU truncates: what it shows as 9899 ms may be all but 9900, which 10000 - 1 % are."""
    assert answer(looked(reported_ms)) == (verdict, code, None, sentence)


@pytest.mark.parametrize("contract", ["last-sync", "dirty-rate"])
@pytest.mark.parametrize(("reported_ms", "recognised"), [(498.0, False), (499.0, True), (500.0, False)])
def test_a_report_is_that_of_a_formula_to_the_millisecond(contract, reported_ms, recognised):
    found = answer(looked(reported_ms, contract))
    if not recognised:
        assert found[2] is None and found[0] == "inaccurate"
    elif contract == "dirty-rate":
        assert found == ("accurate", "accurate", "dirty-rate", "the report is what dirty-rate gives")
    else:
        sentence = "the report is what dirty-rate gives (500.0 ms): a rate over a bandwidth, not an amount"
        assert found == ("inaccurate", "another-formula", "dirty-rate", sentence)


def test_what_is_not_the_dirty_rate_is_wrong_where_that_is_the_contract():
    assert answer(looked(20_000.0, "dirty-rate")) == (
        "inaccurate", "no-formula", None, "the report is not what dirty-rate gives",
    )  # fmt: skip


def test_what_is_left_now_is_right_where_that_is_the_contract():
    assert answer(looked(10_000.0, "live")) == ("accurate", "accurate", "live", "the report is what live gives")
    assert answer(looked(10_000.0, "last-sync"))[1] == "plausible"


@pytest.mark.parametrize(
    ("reported_ms", "fits"), [(9949.0, False), (9950.0, True), (10_050.0, True), (10_051.0, False)]
)
def test_a_bandwidth_of_two_digits_leaves_open_what_it_was_divided_by(reported_ms, fits):
    """1.00 Mbps are from 0.995 to 1.005: of 1.25 MB, from 9950.2 to 10050.3 ms."""
    verdict = looked(reported_ms, "live", remaining_bytes=1_250_000, mbps=1.0, dirty_pages_per_s=1)
    assert verdict.report.code == ("accurate" if fits else "plausible")


@pytest.mark.parametrize(
    ("shown", "code", "sentence"),
    [
        ({"status": "completed"}, "not-active", "the migration is completed, not active: nothing is predicted"),
        ({"reported_ms": None}, "nothing-shown", "no expected downtime or no throughput is shown"),
        ({"ram": None}, "nothing-shown", "no expected downtime or no throughput is shown"),
        ({"mbps": 0.0}, "nothing-shown", "no expected downtime or no throughput is shown"),
    ],
)
@pytest.mark.parametrize("contract", ["last-sync", "dirty-rate"])
def test_a_look_that_shows_nothing_says_so(shown, code, sentence, contract):
    verdict = looked(**{"reported_ms": 499.0, "contract": contract, **shown})
    assert answer(verdict) == ("inconclusive", code, None, sentence)
    assert (verdict.expected_ms is None) == (code == "nothing-shown" and "reported_ms" not in shown)


@pytest.mark.parametrize(("contract", "expected_ms"), [("last-sync", 11_111_111.1), ("dirty-rate", 555_526.8)])
def test_what_the_report_is_held_against_is_shown_at_any_bandwidth(contract, expected_ms):
    verdict = looked(500_000.0, contract, mbps=0.9)
    assert verdict.expected_ms == pytest.approx(expected_ms, abs=0.1)
    assert verdict.relative_error == pytest.approx(500_000 / expected_ms - 1)
    assert looked(None, contract).relative_error is None


def test_a_look_with_a_header_tells_the_limit_of_that():
    sample = Sample(0, 0, "active", 10_000.0, ram=RAM)
    trace = Trace((sample,), header={"migrate-parameters": {"downtime-limit": 317}}, snapshot=True)
    verdict = judge(trace)
    assert (verdict.downtime_limit_ms, verdict.limit.code, verdict.passes) == (317, "single-look", 0)
