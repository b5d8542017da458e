# SPDX-License-Identifier: GPL-2.0-or-later
"""Predicted passes beside recorded ones, and what holds for every guest."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.dirty_curve import curve
from avocado_migdowntime.prediction.precopy import predict

from ..support.simulate import PAGE, random_writes, sweep

RECORDINGS = Path(__file__).parents[1] / "recordings"
X86_64 = "x86_64-kvm-qemu-7.2"


def recorded(name):
    """The curve of a recording, the bandwidth, and of each pass after the first: bytes at its sync, ms, unsent bytes.

    Passes in which QEMU broke its own rate limit are left out: at times it sends one window without any.
    """
    trace = read(str(RECORDINGS / f"{name}.jsonl.gz"))
    found = Evidence.of(trace).syncs
    bandwidth = found[-1].before.last.wire_bytes_per_ms
    seen = []
    for begin, end in pairwise(found):
        ms = (end.after.samples[0].t_s - begin.after.samples[0].t_s) * 1000
        unsent = min(end.unsent_bytes.high, end.limit_bytes.high)
        if (begin.at_sync_bytes.middle - unsent) / ms < 1.1 * bandwidth:
            seen.append((begin.at_sync_bytes.middle, ms, unsent))
    return curve(found), bandwidth, seen


@pytest.mark.parametrize(
    ("name", "durations_ms", "predicted_ms"),
    [
        ("ppc64-tcg-qemu-5.2", [5515], 5495),
        ("ppc64-tcg-qemu-7.2", [5494], 5494),
        ("ppc64-tcg-qemu-11.1", [5006], 5031),
        (X86_64, [2074, 2102, 2102, 2102], 2074),
    ],
)
def test_recorded_passes_are_predicted_within_two_percent(name, durations_ms, predicted_ms):
    curve, bandwidth, seen = recorded(name)
    assert [round(ms) for _, ms, _ in seen] == durations_ms
    course = predict(curve.likely_pending, bandwidth, seen[0][0], limit_ms=1)
    assert course.passes[0].duration_ms == pytest.approx(predicted_ms, abs=1)
    for at_sync, ms, _ in seen:
        assert course.passes[0].duration_ms == pytest.approx(ms, rel=0.02)
        assert course.left_bytes == pytest.approx(at_sync, rel=0.001)
    assert not course.converges


def test_the_passes_of_another_limit_are_predicted():
    """The recording with 700 ms from that with 1 ms; QEMU looks once in 100 ms, so its passes are a little longer."""
    curve, bandwidth, _ = recorded(X86_64)
    _, _, seen = recorded(f"{X86_64}-limit-700ms")
    begin_bytes = seen[0][0]
    course = predict(curve.likely_pending, bandwidth, begin_bytes, limit_ms=700)
    settled = predict(curve.likely_pending, bandwidth, course.left_bytes, limit_ms=700)
    assert not settled.converges
    assert len(seen) == 7
    for at_sync, ms, unsent in seen:
        assert settled.passes[0].duration_ms == pytest.approx(ms, rel=0.02)
        assert settled.passes[0].unsent_bytes == pytest.approx(unsent, rel=0.06)
        assert settled.left_bytes == pytest.approx(at_sync, rel=0.005)


def test_what_700_ms_show_predicts_the_passes_of_1_ms():
    curve, bandwidth, _ = recorded(f"{X86_64}-limit-700ms")
    _, _, seen = recorded(X86_64)
    course = predict(curve.likely_pending, bandwidth, seen[0][0], limit_ms=1)
    for at_sync, ms, _ in seen:
        assert course.passes[0].duration_ms == pytest.approx(ms, rel=0.02)
        assert course.left_bytes == pytest.approx(at_sync, rel=0.005)


def test_a_guest_that_dirties_half_of_what_is_sent_converges_by_halves():
    course = predict(lambda ms, unsent: unsent + ms * 5_000, 10_000, 80e6, limit_ms=1000)
    assert course.converges
    assert [round(one.duration_ms) for one in course.passes] == [7000, 3500, 1750, 875, 438, 219, 109, 100, 100]
    assert course.left_bytes < 10e6
    assert course.duration_ms == pytest.approx(14_091, abs=1)


def test_a_sync_that_fits_needs_no_pass_and_one_that_finds_nothing_always_fits():
    assert predict(lambda ms, unsent: 9e9, 10_000, 9.9e6, limit_ms=1000).passes == ()
    assert predict(lambda ms, unsent: 0, 10_000, 9.9e6, limit_ms=0).converges


def test_qemu_compares_with_the_switchover_bandwidth_where_it_is_set():
    def whole(ms, unsent):
        return 50e6

    assert not predict(whole, 10_000, 50e6, limit_ms=300).converges
    assert predict(whole, 10_000, 50e6, limit_ms=300, threshold_bytes_per_ms=200_000).converges


@given(
    st.sampled_from([random_writes, sweep]),
    st.integers(200, 20_000),
    st.floats(0.01, 40),
    st.floats(1_000, 100_000),
    st.integers(1, 5000),
    st.integers(1, 5000),
)
def test_a_larger_limit_never_converges_later(kind, pages, pages_per_ms, bandwidth, limit_ms, more_ms):
    found = kind(pages, pages_per_ms)

    def pending(ms, unsent_bytes):
        return found(ms, unsent_bytes / PAGE) * PAGE

    lower, higher = (predict(pending, bandwidth, 30_000 * PAGE, limit) for limit in (limit_ms, limit_ms + more_ms))
    if lower.converges:
        assert higher.converges
        assert len(higher.passes) <= len(lower.passes)
        assert higher.duration_ms <= lower.duration_ms + 1e-6
