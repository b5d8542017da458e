# SPDX-License-Identifier: GPL-2.0-or-later
"""VFIO devices send as well: QEMU counts what they have left, and shows it only from 11.1 on."""

from dataclasses import replace

import pytest

from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement
from selftests.support.migrations import Mbps, beside_vfio, of
from selftests.support.recorded import altered
from selftests.support.watching import at


def test_without_what_is_left_of_them_no_limit_is_advised():
    trace = beside_vfio(of([2000]))
    advice = advise(trace)
    assert (advice.finding, advice.limit_ms, advice.range_ms) == (Finding.UNKNOWN, None, None)
    assert advice.reasons == ("VFIO devices are migrated as well, and no figure shows what is left of them",)
    assert at(trace, 9.0).outlook is None
    assert advise(of([2000])).limit_ms is not None


def test_the_limit_at_which_passes_end_is_not_known():
    """QEMU goes on until RAM and devices fit together, so RAM alone ends with less."""
    verdict = judge(beside_vfio(of([2000], 700.0, used_limit_ms=300)))
    assert (verdict.limit.code, verdict.limit.effective_limit_interval_ms, verdict.passed) == ("devices", None, True)
    assert verdict.verdict is Judgement.ACCURATE


@pytest.mark.parametrize(("limit_ms", "code"), [(1.0, "ended-early"), (300.0, "respected")])
def test_more_of_ram_than_the_limit_allows_is_too_much_anyway(limit_ms, code):
    assert judge(beside_vfio(of([2000], limit_ms, used_limit_ms=300))).limit.code == code


def test_what_11_1_shows_of_devices_counts_as_unsent():
    """With 400 ms of devices, passes under 700 ms end with 300 ms of RAM."""
    trace = of([2000], 700.0, used_limit_ms=300, device_bytes=400 * 12_000)
    verdict = judge(beside_vfio(trace))
    assert (verdict.limit.code, verdict.pending.code) == ("respected", "adds-up")
    assert verdict.limit.effective_limit_interval_ms.low <= 700 <= verdict.limit.effective_limit_interval_ms.high
    assert advise(beside_vfio(trace)).limit_ms == pytest.approx(2000 + 400, rel=0.02)


def shown(answer):
    answer["vfio"] = {"transferred": 7}


def test_a_recording_tells_of_them():
    trace = altered("x86_64-kvm-qemu-7.2", shown)
    assert trace.samples.hides_devices and set(trace.samples.vfio_bytes[1:].tolist()) == {7.0}
    assert not altered("x86_64-kvm-qemu-7.2", lambda answer: None).samples.hides_devices
    trace = altered("ppc64-tcg-qemu-11.1", shown)
    ended = replace(trace.samples[-1], status="completed", pending_bytes=None)
    for samples in (trace.samples, (*trace.samples, ended)):
        assert not replace(trace, samples=samples).samples.hides_devices


def test_what_devices_send_makes_no_bandwidth_wrong():
    """Up to 8.0 they count in mbps and not in transferred."""
    half_more = of([2000], fault=Mbps(lambda mbps: 1.5 * mbps))
    assert judge(half_more).bandwidth.code == "not-as-sent"
    assert judge(beside_vfio(half_more)).bandwidth.code == "devices"
    before = replace(half_more, samples=tuple(replace(sample, vfio_bytes=0.0) for sample in half_more.samples))
    assert judge(before).bandwidth.code == "not-as-sent"
