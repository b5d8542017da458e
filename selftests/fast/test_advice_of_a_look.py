# SPDX-License-Identifier: GPL-2.0-or-later
"""What a single look at a migration lets advise, figure by figure: 10 s are left to be sent at 125 MB/s."""

from dataclasses import replace

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.prediction.advice import Advice, Finding
from avocado_migdowntime.prediction.advise import advise, predict_convergence
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.samples import Sample
from selftests.support.samples import TEN_SECONDS_LEFT
from selftests.support.traces import Pass, made, precopy

POSTCOPY = "postcopy finishes it whatever the guest dirties"


def looked(reported_ms=None, status="active", ram=TEN_SECONDS_LEFT, header=None, **of_ram):
    sample = Sample(0, 0, status, reported_ms, ram=ram and replace(ram, **of_ram))
    return advise(Trace((sample,), header=header or {}, snapshot=True))


def guess(dirtied_ms):
    return (
        f"a single snapshot shows no sync: this is a guess, and {dirtied_ms} ms more are dirtied while that is sent; "
        "record the migration for a better one"
    )


LEFT_NOW = "1250.0 MB are left now; what the guest dirtied since the last sync comes on top"


@pytest.mark.parametrize(
    ("reported_ms", "limit_ms", "high_ms", "reason"),
    [
        (None, 10_001, 12_001, LEFT_NOW),
        (9999.0, 10_001, 12_001, LEFT_NOW),
        (10_000.0, 10_001, 12_001, "QEMU found 10000 ms pending at the last sync, and 10000 ms of them are left"),
        (11_000.0, 11_001, 12_001, "QEMU found 11000 ms pending at the last sync, and 10000 ms of them are left"),
        (13_000.0, 13_001, 13_001, "QEMU found 13000 ms pending at the last sync, and 10000 ms of them are left"),
    ],
)
def test_it_takes_what_is_left_or_what_was_reported_where_that_is_more(reported_ms, limit_ms, high_ms, reason):
    assert looked(reported_ms) == Advice(
        Finding.FOUND,
        limit_ms=limit_ms,
        range_ms=Interval(10_001, high_ms),
        bandwidth_bytes_per_ms=125_000.0,
        reasons=(reason, guess(2000)),
    )


def test_a_guest_of_which_nothing_is_left_needs_a_millisecond():
    found = looked(remaining_bytes=0)
    assert (found.limit_ms, found.range_ms, found.reasons[0]) == (
        1, Interval(1, 1), "QEMU found 0 ms pending at the last sync, and 0 ms of them are left",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "ram"),
    [("completed", TEN_SECONDS_LEFT), ("active", None), ("postcopy-active", TEN_SECONDS_LEFT)],
    ids=["over", "bare", "postcopy"],
)
def test_where_nothing_is_pending_nothing_is_advised(status, ram):
    found = looked(status=status, ram=ram)
    assert (found.finding, found.limit_ms) == (Finding.UNKNOWN, None)
    assert found.reasons == (f"the migration is {status}, not active: nothing is pending",)


def test_without_a_bandwidth_no_limit_will_do():
    assert looked(mbps=0.0) == Advice(
        Finding.NONE,
        reasons=(
            "no throughput is shown, so no downtime-limit is large enough: look at the network and max-bandwidth",
            POSTCOPY,
        ),
    )


@pytest.mark.parametrize(("left_ms", "found"), [(1_999_999, True), (2_000_000, False)])
def test_a_limit_beyond_the_greatest_that_qemu_takes_is_none(left_ms, found):
    advice = looked(remaining_bytes=left_ms * 125_000, dirty_pages_per_s=0)
    begin = f"{left_ms / 8:.1f} MB are left now; what the guest dirtied since the last sync comes on top"
    beyond = ", beyond the 2000 s that QEMU takes as downtime-limit"
    assert (advice.finding, advice.limit_ms, advice.reasons[0]) == (
        (Finding.FOUND, left_ms + 1, begin) if found else (Finding.NONE, None, begin + beyond)
    )
    assert advice.range_ms == Interval(left_ms + 1, left_ms + 1)


def test_the_bandwidth_of_the_switchover_is_divided_by_and_that_of_sending_bounds_what_is_dirtied():
    parameters = {"avail-switchover-bandwidth": 250_000_000, "downtime-limit": 317}
    found = looked(header={"migrate-parameters": parameters})
    assert (found.limit_ms, found.range_ms, found.bandwidth_bytes_per_ms) == (5001, Interval(5001, 6001), 250_000)
    assert (found.reasons[1], found.configured_ms) == (guess(1000), 317)


@pytest.mark.parametrize(
    "rows", [precopy(Pass(20_000)), precopy(Pass(20_000, mbps=0), Pass(20_000, 1, mbps=0))], ids=["one", "still"]
)
def test_no_course_is_told_before_the_second_pass(rows):
    with pytest.raises(UsageError) as caught:
        predict_convergence(made(rows), 300)
    assert str(caught.value) == "shows no pass from end to end, or nothing was sent; record until the second pass"
