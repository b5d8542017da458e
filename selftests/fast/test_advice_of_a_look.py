# SPDX-License-Identifier: GPL-2.0-or-later
"""What a single look at a migration lets advise, figure by figure: 10 s are left to send at 125 MB/s."""

from dataclasses import replace

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.prediction.advice import Advice, Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.prediction.converging import predict_convergence
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.reading import Reading
from avocado_migdowntime.trace.sample import Sample
from selftests.support.samples import TEN_SECONDS_LEFT
from selftests.support.traces import Pass, made, precopy

POSTCOPY = "postcopy finishes it whatever the guest dirties"
NO_REMAINING = "how much RAM is left is not shown; give the whole text, or record the migration"
LEFT_NOW = "1250.0 MB are left now (10000 ms at 125.0 MB/s)"
AT_LEAST = f"{LEFT_NOW}, so ending it now needs a limit of at least 10001 ms"
BETTER = "no sync was seen: record the migration for a better answer"
ON_TOP = "what the guest dirtied since the last sync has to be sent as well"


def looked(
    reported_ms=None,
    status="active",
    ram=TEN_SECONDS_LEFT,
    header=None,
    mean=125_000,
    lasted_ms=50_000,
    sample=None,
    **of_ram,
):
    """The advice from one look; `mean` is the bandwidth of the whole migration until then."""
    one = Sample(0, 0, status, reported_ms, ram=ram and replace(ram, **of_ram), **(sample or {}))
    shown = {"total-time": lasted_ms + 1, "setup-time": 1} if mean else {}
    of_3_0 = {"multifd-bytes": 0, **({"transferred": mean * lasted_ms} if mean else {})}
    reading = Reading({"status": status, "ram": of_3_0, **shown})
    return advise(Trace((one,), header=header or {}, snapshot=True, readings=(reading,)))


@pytest.mark.parametrize(
    ("reported_ms", "limit_ms", "high_ms"), [(10_002.0, 10_003, 12_001), (10_100.0, 10_101, 12_001)]
)
def test_a_report_that_can_only_be_what_was_left_at_the_sync_is_taken(reported_ms, limit_ms, high_ms):
    assert looked(reported_ms) == Advice(
        Finding.FOUND,
        limit_ms=limit_ms,
        range_ms=Interval(10_001, high_ms),
        bandwidth_bytes_per_ms=125_000.0,
        reasons=(
            f"QEMU found {reported_ms:.0f} ms pending at the last sync, and 10000 ms of them are left",
            "no sync was seen, so this is a guess; while the rest is sent, the guest dirties another 2000 ms' worth; "
            "record the migration for a better answer",
        ),
    )


def test_where_no_dirty_rate_is_shown_a_report_may_be_something_else():
    one = Sample(0, 0, "active", 10_002.0, ram=TEN_SECONDS_LEFT)
    reading = Reading(
        {"status": "active", "ram": {"transferred": 125_000 * 50_000}, "total-time": 50_001, "setup-time": 1}
    )
    trace = Trace((one,), header={}, snapshot=True, readings=(reading,), lacks=("ram.dirty-pages-rate",))
    doubt = (
        "the report of 10002 ms may fit another formula than last-sync, because no dirty rate is shown; if this QEMU "
        "uses the formula of QEMU 3.0 and later, the limit is 10003 ms"
    )
    assert advise(trace).reasons[:3] == (AT_LEAST, doubt, BETTER)
    assert advise(trace).finding is Finding.UNKNOWN and advise(trace).limit_ms is None


@pytest.mark.parametrize(("reported_ms", "limit_ms"), [(1_999_999.0, 2_000_000), (2_000_000.0, None)])
def test_what_was_left_at_the_sync_is_no_limit_where_qemu_accepts_none_as_large(reported_ms, limit_ms):
    advice = looked(reported_ms, remaining_bytes=1_990_000 * 125_000, lasted_ms=9_000_000)
    assert (advice.finding, advice.limit_ms) == (Finding.FOUND if limit_ms else Finding.UNKNOWN, limit_ms)
    assert (advice.reasons[1:] == ("QEMU accepts no limit that large", BETTER)) == (limit_ms is None)


@pytest.mark.parametrize(
    ("reported_ms", "more", "doubt"),
    [
        (None, {}, f"no expected downtime is shown; {ON_TOP}"),
        (9000.0, {}, f"the report of 9000 ms is below what is left now: {ON_TOP}"),
        (
            200.0,
            {"dirty_pages_per_s": 6104},
            f"the report of 200 ms is that of dirty-rate, a rate instead of an amount: {ON_TOP}",
        ),
        (
            10_000.0, {}, "the report of 10000 ms fits live as well as last-sync; if this QEMU uses the "
            "formula of QEMU 3.0 and later, the limit is 10001 ms",
        ),
        (
            13_000.0, {}, "the report of 13000 ms fits redirty as well as last-sync; if this QEMU uses the "
            "formula of QEMU 3.0 and later, the limit is 13001 ms",
        ),
        (300.0, {}, "the report of 300 ms may be QEMU's initial value, not a computed one"),
        (
            10_100.0, {"dirty_pages_per_s": 0},
            "the report of 10100 ms may be QEMU's initial value, not a computed one",
        ),
        (10_100.0, {"mean": 90_000}, "the bandwidth at this moment may differ from that of the whole migration"),
        (10_100.0, {"mean": None}, "the bandwidth at this moment may differ from that of the whole migration"),
    ],
)  # fmt: skip
def test_where_a_report_may_be_something_else_only_the_least_is_told(reported_ms, more, doubt):
    assert looked(reported_ms, **more) == Advice(
        Finding.UNKNOWN, bandwidth_bytes_per_ms=125_000.0, reasons=(AT_LEAST, doubt, BETTER)
    )


@pytest.mark.parametrize(
    ("shown", "finding", "reason", "more"),
    [
        (
            {"status": "completed", "sample": {"downtime_ms": 54}}, Finding.UNKNOWN,
            "the migration completed, and the guest was down for 54 ms; QEMU predicts nothing now", (),
        ),
        (
            {"status": "postcopy-active"}, Finding.UNKNOWN,
            "postcopy has begun, and finishes whatever the downtime-limit is", (),
        ),
        ({"ram": None}, Finding.UNKNOWN, NO_REMAINING, ()),
        (
            {"dirty_sync_count": 1}, Finding.UNKNOWN,
            "this is the first pass, which sends all of RAM: QEMU reports the downtime-limit or its "
            "initial value until "
            "it has computed something", (LEFT_NOW,),
        ),
        (
            {"mbps": 0.0}, Finding.UNKNOWN,
            "the throughput is 0: QEMU has measured nothing yet, or sends nothing now", (),
        ),
        (
            {"sample": {"disk_bytes": 5e6}}, Finding.NONE,
            "a disk is migrated as well, and no downtime-limit ends the migration while 5.0 MB of it are left; "
            "sending the RAM left takes 10000 ms", (),
        ),
    ],
    ids=["over", "postcopy", "bare", "first", "still", "disk"],
)  # fmt: skip
def test_where_nothing_follows_nothing_is_advised(shown, finding, reason, more):
    found = looked(10_100.0, **shown)
    assert (found.finding, found.limit_ms, found.range_ms, found.reasons) == (finding, None, None, (reason, *more))


def test_what_is_left_beyond_the_greatest_limit_that_qemu_takes_has_none():
    left = 2_000_000 * 125_000 + 2_000_000
    found = looked(remaining_bytes=left)
    assert (found.finding, found.limit_ms) == (Finding.NONE, None)
    assert found.reasons == (
        "250002.0 MB are left now (2000016 ms at 125.0 MB/s), beyond the 2000 s that QEMU takes as downtime-limit",
        POSTCOPY,
    )
    assert looked(remaining_bytes=left, mean=60_000).finding is Finding.UNKNOWN


def test_the_bandwidth_of_the_switchover_is_divided_by():
    parameters = {"avail-switchover-bandwidth": 250_000_000, "downtime-limit": 317}
    found = looked(5002.0, header={"migrate-parameters": parameters}, dirty_pages_per_s=12_208)
    assert (found.limit_ms, found.range_ms, found.bandwidth_bytes_per_ms) == (5003, Interval(5001, 6001), 250_000)
    assert found.configured_ms == 317


@pytest.mark.parametrize(
    "rows", [precopy(Pass(20_000)), precopy(Pass(20_000, mbps=0), Pass(20_000, 1, mbps=0))], ids=["one", "still"]
)
def test_no_course_is_told_before_the_second_pass(rows):
    with pytest.raises(UsageError) as caught:
        predict_convergence(made(rows), 300)
    assert str(caught.value) == "shows no pass from end to end, or nothing was sent; record until the second pass"


@pytest.mark.parametrize(
    ("reported_ms", "left_ms", "limit_ms"),
    [
        (1_999_999.0, 1_999_990, 2_000_000),
        (2_000_000.0, 1_999_990, None),
        (9_998.0, 10_000, None),
    ],
)
def test_the_limit_is_above_the_report_and_above_what_is_left_and_one_that_can_be_set(reported_ms, left_ms, limit_ms):
    """One that is below what is left is of the pass before, whatever it is near to."""
    found = looked(reported_ms, remaining_bytes=left_ms * 125_000, lasted_ms=9_000_000)
    assert (found.finding, found.limit_ms) == (Finding.UNKNOWN if limit_ms is None else Finding.FOUND, limit_ms)


@pytest.mark.parametrize(
    ("lasted_ms", "limit_ms", "is_usual"),
    [
        (8_040, 400, False),  # 2 s were sent of this pass, so three took 6.04 s: 1.25 × (2013 + 400) < 3017
        (8_055, 400, True),
        (8_340, None, False),  # The default downtime-limit is 300 ms.
        (8_360, None, True),
        (1_000, 2_399, False),
        (1_000, 2_414, True),
    ],
)
def test_a_sync_that_found_more_than_passes_before_it_took_is_no_usual_one(lasted_ms, limit_ms, is_usual):
    header = {} if limit_ms is None else {"migrate-parameters": {"downtime-limit": limit_ms}}
    left = {"remaining_bytes": 1016 * 125_000, "dirty_sync_count": 4, "dirty_pages_per_s": 90_000}
    found = looked(3_017.0, lasted_ms=lasted_ms, header=header, **left)
    assert (found.limit_ms == 3_018) == is_usual
    said = "the report of 3017 ms may be of an unusual pass: until now they took "
    assert any(reason.startswith(said) for reason in found.reasons) == (not is_usual)


def test_how_long_passes_took_on_average_is_said():
    left = {"remaining_bytes": 1016 * 125_000, "dirty_sync_count": 4, "dirty_pages_per_s": 90_000}
    assert "until now they took 1667 ms on average" in " ".join(looked(3_017.0, lasted_ms=7_001, **left).reasons)
