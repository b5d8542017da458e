# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU says it transferred, against what its link counts for itself."""

import os
from dataclasses import replace

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.host import sent_counters as counters
from avocado_migdowntime.host.sent_counters import SentCounters, sent_counters
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.trace.events import BROKEN, CARRIED, HARNESS, Event
from avocado_migdowntime.verdict.check import Outcome
from avocado_migdowntime.verdict.judge import judge

from ..support.migrations import of, over_a_link, with_events, with_header

COMPLETED = of([2000, 10], 300.0)


def version(major, minor=0):
    return {"major": major, "minor": minor, "micro": 0}


def found(*link):
    check = judge(over_a_link(COMPLETED, *link)).check("transferred")
    return check.outcome, check.code


def test_what_was_told_is_known_to_the_headers_and_one_look():
    verdict = judge(over_a_link(COMPLETED))
    interval = verdict.transferred.error_interval
    assert -0.01 < interval.low < 0 < interval.high < 0.02
    assert fields(verdict)["transferred_error_interval"] == [interval.low, interval.high]
    assert f"the error of transferred, compared with the link, is between {interval.low:+.2%} " in summary(verdict)


@pytest.mark.parametrize("told", [0.97, 1.04])
def test_what_may_be_right_is(told):
    assert found(told) == (Outcome.PASSED, "as-carried")


@pytest.mark.parametrize("told", [0.5, 0.9, 1.1, 2.0])
def test_what_cannot_be_right_is_not(told):
    verdict = judge(over_a_link(COMPLETED, told))
    assert verdict.check("transferred").code == "not-as-carried" and verdict.passed is False
    low, high = fields(verdict)["transferred_error_interval"]
    assert low < told - 1 < high
    assert f"the error of transferred, compared with the link, is between {low:+.2%} and {high:+.2%}" in verdict.reasons


@pytest.mark.parametrize(("devices", "code"), [(3_000_000, "as-carried"), (30_000_000, "wide")])
def test_devices_are_carried_that_qemu_does_not_count(devices, code):
    """They are sent while the guest is stopped, so that they are no sign of a QEMU that says too little."""
    verdict = judge(over_a_link(COMPLETED, 1.0, devices))
    assert verdict.check("transferred").code == code
    assert verdict.transferred.sentence.endswith(", too wide to decide") == (code == "wide")


def test_where_the_migration_went_on_over_another_link_nothing_is_told():
    assert found(0.5, 0, 8934, Event(3.0, HARNESS, BROKEN, {})) == (Outcome.NOT_JUDGED, "not-seen")


def test_of_a_migration_whose_beginning_or_end_the_looks_miss_nothing_is_told():
    """What was carried meanwhile is not known: that QEMU says more is no sign against it."""
    trace = over_a_link(COMPLETED, 1.0)
    looks = [one for one in trace.events if one.name == CARRIED]
    for kept in (looks[5:], looks[:-1]):
        others = tuple(one for one in trace.events if one.name != CARRIED)
        assert judge(replace(trace, events=(*others, *kept))).transferred.code == "not-seen"


def test_a_look_after_the_stop_is_none_of_the_running_guest():
    """However late the stop was noticed: of devices, which went out meanwhile, QEMU says nothing."""
    devices = 30_000_000
    trace = over_a_link(COMPLETED, 1.0, devices)
    last = [one for one in trace.events if one.name == CARRIED][-1]
    looked = replace(last, t_s=trace.switchover_s - 0.001)
    seen = with_events(trace, looked)
    assert judge(seen).transferred == judge(trace).transferred


def test_what_others_may_have_sent_is_no_sign_of_a_qemu_that_says_too_little():
    arguments = ["-netdev", "user,id=net"]
    less, more = (with_header(over_a_link(COMPLETED, told), qemu_arguments=arguments) for told in (0.5, 2.0))
    assert judge(less).transferred.code == "not-alone"
    assert judge(more).transferred.code == "not-as-carried"


@pytest.mark.parametrize(
    ("release", "capabilities", "compression", "code"),
    [
        ((7, 2), ["multifd"], {"multifd-compression": "zlib"}, "before-compression"),
        ((8, 0), ["multifd"], {"multifd-compression": "zstd"}, "before-compression"),
        ((8, 1), ["multifd"], {"multifd-compression": "zlib"}, "not-as-carried"),
        ((7, 2), ["multifd"], {"multifd-compression": "none"}, "not-as-carried"),
        ((7, 2), ["multifd"], {}, "not-as-carried"),
        ((7, 2), [], {"multifd-compression": "zlib"}, "not-as-carried"),
    ],
)
def test_what_was_counted_before_it_was_compressed_is_no_sign_of_a_qemu_that_says_too_much(
    release, capabilities, compression, code
):
    header = {"qemu": {"qemu": version(*release)}, "capabilities": capabilities, "migrate-parameters": compression}
    assert judge(with_header(over_a_link(COMPLETED, 2.0), **header)).transferred.code == code


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"qemu": {"qemu": version(11)}, "capabilities": ["multifd"]}, "not-as-carried"),
        (
            {
                "qemu": {"qemu": version(11)},
                "capabilities": ["multifd"],
                "migrate-parameters": {"multifd-channels": 16},
            },
            "as-carried",
        ),
        ({"qemu": {"qemu": version(7)}, "arch": "ppc64", "ram_mib": 256}, "not-as-carried"),
        ({"qemu": {"qemu": version(7)}, "arch": "ppc64", "ram_mib": 512}, "as-carried"),
        ({"qemu": {"qemu": version(10)}, "arch": "ppc64", "ram_mib": 512}, "not-as-carried"),
        ({"qemu": {"qemu": version(7)}, "arch": "x86_64", "ram_mib": 512}, "not-as-carried"),
    ],
)
def test_what_is_sent_before_qemu_counts_it_may_be_on_the_way(header, code):
    assert judge(with_header(over_a_link(COMPLETED, 0.85), **header)).transferred.code == code


def test_how_much_of_each_may_be_on_the_way():
    """All that differs is what is added to what QEMU told before it is divided by what was carried."""

    def most(**header):
        return judge(with_header(over_a_link(COMPLETED), **header)).transferred.error_interval.high

    def table(ram_mib):
        return most(arch="ppc64", ram_mib=ram_mib, qemu={"qemu": version(8)}) - most()

    new = {"qemu": {"qemu": version(9)}, "capabilities": ["multifd"]}
    two = most(**new) - most()
    carried = 3 * 512 * 1024 / two
    told = COMPLETED.samples.transferred_bytes
    assert min(abs(told - ((most() + 1) * carried - 256 * 1024))) < 1
    assert most(**{**new, "migrate-parameters": {"multifd-channels": 5}}) - most() == pytest.approx(2 * two)
    assert table(256) * carried == pytest.approx(2 << 20)
    assert table(257) * carried == table(512) * carried == pytest.approx(4 << 20)
    assert most(arch="ppc64", ram_mib=256, qemu={"qemu": version(9)}) == most(arch="ppc64") == most()


@pytest.mark.parametrize("looks", [(), ({"bytes": 5, "packets": 1},), ({"bytes": 9, "packets": 1},) * 3])
def test_without_two_looks_or_anything_carried_nothing_is_told(looks):
    trace = over_a_link(COMPLETED)
    others = tuple(one for one in trace.events if one.name != CARRIED)
    seen = tuple(Event(0.1 * number, HARNESS, CARRIED, look) for number, look in enumerate(looks))
    carried = judge(type(trace)(trace.samples, (*seen, *others), trace.header)).transferred
    assert carried is None if not looks else carried.code == "not-seen"


def test_a_link_that_carried_nothing_from_the_beginning_to_the_end_is_another_one():
    trace = over_a_link(COMPLETED)
    still = tuple(one if one.name != CARRIED else replace(one, data={"bytes": 9, "packets": 0}) for one in trace.events)
    carried = judge(type(trace)(trace.samples, still, trace.header)).transferred
    assert carried.code == "not-seen" and carried.error_interval is None


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
    assert sent_counters(7) == SentCounters(1416, 10)
    assert sent_counters(8) is None


def test_the_network_of_this_process_is_counted():
    assert sent_counters(os.getpid()).bytes >= 0
