# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU 11.1 says that is pending: devices are told from it, and it is held against what was left."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.faults.fault import Fault
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.devices import Devices, with_devices
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.report.verdict_text import labelled
from avocado_migdowntime.verdict.judge import judge

from ..support.migrations import Pending, of
from ..support.recorded import RECORDINGS


class Without(Fault):
    """No word of what is pending."""

    def from_qemu(self, command, answer):
        return {name: value for name, value in answer.items() if name != "remaining"}


@pytest.mark.parametrize("device_bytes", [0, 4096, 250_000, 5_000_000])
def test_devices_count_to_the_byte(device_bytes):
    trace = of([2000, 1500], device_bytes=device_bytes)
    verdict = judge(trace)
    assert (verdict.report.code, verdict.pending.code) == ("accurate", "adds-up")
    known = verdict.pending.device_bytes
    assert known.low == device_bytes <= known.high
    assert (("devices", f"have {device_bytes / 1e6:.3f} MB to send besides RAM") in labelled(verdict)) is (
        device_bytes > 0
    )
    evidence = Evidence.of(trace)
    of_ram = [sync.at_sync_bytes.low for sync in Evidence.of(of([2000, 1500])).syncs]
    assert [sync.at_sync_bytes.low - device_bytes for sync in evidence.syncs] == of_ram


def test_without_that_figure_a_right_report_is_too_high_by_what_devices_have():
    verdict = judge(of([2000, 1500], device_bytes=1_200_000, fault=Without()))
    assert verdict.pending is None and verdict.check("pending") is None
    assert verdict.report.code == "no-formula" and verdict.relative_error == pytest.approx(1.2 / 18, abs=0.001)


@pytest.mark.parametrize(("factor", "code"), [(0.7, "not-what-is-left"), (1, "adds-up"), (1.3, "not-what-is-left")])
def test_a_figure_that_is_not_what_was_left_is_found_though_the_report_goes_with_it(factor, code):
    verdict = judge(of([2000, 1500], device_bytes=0, fault=Pending(factor)))
    assert verdict.pending.code == code
    assert verdict.passed is (factor == 1)
    if factor != 1:
        assert verdict.pending.strange > verdict.pending.looks / 2
        assert verdict.pending.sentence == (
            f"at {verdict.pending.strange} of {verdict.pending.looks} updates, the pending bytes that QEMU reports are "
            "not those of RAM plus a constant amount for devices"
        )


@pytest.mark.parametrize(
    ("least", "most", "is_within"), [(-9, 9, True), (-9, 0, True), (0, 9, True), (1, 9, False), (-9, -1, False)]
)
def test_what_is_pending_is_what_the_sync_found_where_it_lies_within_that(least, most, is_within):
    """From where QEMU says it, so many bytes less or more are known to have been found."""
    [sync, *_] = Evidence.of(of([2000, 1500], device_bytes=0)).syncs
    pending = float(sync.after.samples.pending_bytes[0])
    found = Interval(pending + least, pending + most)
    told = with_devices(structs.replace(sync, at_sync_bytes=found), Devices(np.zeros((2, 9))))
    assert told.at_sync_bytes == (Interval(pending, pending) if is_within else found)


@pytest.mark.parametrize("name", ["ppc64-tcg-qemu-11.1", "x86_64-tcg-qemu-11.1-multifd"])
def test_a_recorded_guest_without_such_devices_has_none(name):
    verdict = judge(read(str(RECORDINGS / f"{name}.jsonl.gz")))
    assert verdict.pending.code == "adds-up" and not verdict.pending.has_devices
    assert (verdict.pending.device_bytes.low, verdict.pending.strange) == (0, 0)


def test_where_multifd_leaves_a_packet_open_it_tells_what_the_sync_found():
    trace = read(str(RECORDINGS / "x86_64-tcg-qemu-11.1-multifd.jsonl.gz"))
    untold = replace(trace, samples=tuple(replace(one, pending_bytes=None) for one in trace.samples))
    told, open_ = (Evidence.of(one).syncs for one in (trace, untold))
    assert any(a.at_sync_bytes.width < b.at_sync_bytes.width for a, b in zip(told, open_, strict=True))
    assert all(a.at_sync_bytes.within(b.at_sync_bytes) for a, b in zip(told, open_, strict=True))
