# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU says it transferred, against what its link counts for itself."""

import os

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.host import sent as counters
from avocado_migdowntime.host.sent import Sent, sent
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.trace.events import BROKEN, CARRIED, HARNESS, Event
from avocado_migdowntime.verdict.check import Outcome
from avocado_migdowntime.verdict.judge import judge

from ..support.migrations import of, over_a_link

COMPLETED = of([2000, 10], 300.0)


def found(*link):
    check = judge(over_a_link(COMPLETED, *link)).check("transferred")
    return check.outcome, check.code


def test_what_was_told_is_known_to_the_headers_and_one_look():
    verdict = judge(over_a_link(COMPLETED))
    interval = verdict.transferred.error_interval
    assert -0.01 < interval.low < 0 < interval.high < 0.02
    assert fields(verdict)["transferred_error_interval"] == [interval.low, interval.high]
    assert f"transferred is off what the link carried by between {interval.low:+.2%} " in summary(verdict)


@pytest.mark.parametrize("told", [0.97, 1.04])
def test_what_may_be_right_is(told):
    assert found(told) == (Outcome.PASSED, "as-carried")


@pytest.mark.parametrize("told", [0.5, 0.9, 1.1, 2.0])
def test_what_cannot_be_right_is_not(told):
    verdict = judge(over_a_link(COMPLETED, told))
    assert verdict.check("transferred").code == "not-as-carried" and verdict.passed is False
    low, high = fields(verdict)["transferred_error_interval"]
    assert low < told - 1 < high
    assert f"transferred is off what the link carried by between {low:+.2%} and {high:+.2%}" in verdict.reasons


@pytest.mark.parametrize(("devices", "code"), [(3_000_000, "as-carried"), (30_000_000, "wide")])
def test_devices_are_carried_that_qemu_does_not_count(devices, code):
    """They are sent while the guest is stopped, so that they are no sign of a QEMU that says too little."""
    assert judge(over_a_link(COMPLETED, 1.0, devices)).check("transferred").code == code


def test_where_the_migration_went_on_over_another_link_nothing_is_told():
    assert found(0.5, 0, 8934, Event(3.0, HARNESS, BROKEN, {})) == (Outcome.NOT_JUDGED, "not-seen")


@pytest.mark.parametrize("looks", [(), ({"bytes": 5, "packets": 1},), ({"bytes": 9, "packets": 1},) * 3])
def test_without_two_looks_or_anything_carried_nothing_is_told(looks):
    trace = over_a_link(COMPLETED)
    others = tuple(one for one in trace.events if one.name != CARRIED)
    seen = tuple(Event(0.1 * number, HARNESS, CARRIED, look) for number, look in enumerate(looks))
    carried = judge(type(trace)(trace.samples, (*seen, *others), trace.header)).transferred
    assert carried is None if not looks else carried.code == "not-seen"


def test_what_is_no_look_is_refused():
    with pytest.raises(UsageError, match="packets"):
        judge(over_a_link(COMPLETED, 1.0, 0, 8934, Event(-1.0, HARNESS, CARRIED, {"bytes": 1})))


def test_a_network_is_counted_without_its_loopback(tmp_path, monkeypatch):
    table = (
        "Inter-|   Receive    |  Transmit\n face |bytes    packets |bytes    packets\n"
        "    lo:  11 1 0 0 0 0 0 0  12 2 0 0 0 0 0 0\n  wire: 13 3 0 0 0 0 0 0  1400 4 0 0 0 0 0 0\n"
        "second:15 5 0 0 0 0 0 0 16 6 0 0 0 0 0 0\n"
    )
    place = tmp_path / "proc" / "7" / "net"
    place.mkdir(parents=True)
    (place / "dev").write_text(table)
    monkeypatch.setattr(counters, "Path", lambda name: tmp_path / name.lstrip("/"))
    assert sent(7) == Sent(1416, 10)
    assert sent(8) is None


def test_the_network_of_this_process_is_counted():
    assert sent(os.getpid()).bytes >= 0
