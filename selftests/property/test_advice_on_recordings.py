# SPDX-License-Identifier: GPL-2.0-or-later
"""The downtime-limit that is advised by recordings of real migrations, and by parts of them."""

import math
from dataclasses import replace

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.forms.file import parse, read
from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.prediction.converging import predict_convergence
from avocado_migdowntime.trace.events import DISTURBS, HARNESS

from ..support.examples import examples
from ..support.recorded import RECORDINGS


@pytest.mark.parametrize(
    ("name", "limit_ms", "range_ms", "best", "throttle", "bandwidth"),
    [
        ("ppc64-tcg-qemu-5.2", 5552, (5441, 6478), 5496, 95, 231.3),
        ("ppc64-tcg-qemu-7.2", 5552, (5441, 6352), 5495, 95, 231.3),
        ("ppc64-tcg-qemu-11.1", 5083, (4983, 5815), 5033, 95, 231.3),
        ("x86_64-kvm-qemu-7.2", 2097, (2055, 2399), 2076, 86, 363.5),
        ("x86_64-kvm-qemu-7.2-limit-700ms", 2117, (2037, 2422), 2069, 86, 363.3),
    ],
)
def test_a_recorded_guest_needs_its_whole_region_and_a_percent(name, limit_ms, range_ms, best, throttle, bandwidth):
    advice = advise(read(str(RECORDINGS / f"{name}.jsonl.gz")))
    assert (advice.finding, advice.limit_ms) == (Finding.FOUND, limit_ms)
    assert (advice.range_ms, advice.best_point.limit_ms) == (Interval(*range_ms), best)
    assert advice.help.throttle_percent == throttle
    assert advice.help.bandwidth_bytes_per_ms / 1000 == pytest.approx(bandwidth, abs=0.1)


@pytest.mark.parametrize(("limit_ms", "sure"), [(1, False), (700, None), (2070, None), (2080, True)])
def test_a_recorded_guest_converges_only_where_its_region_fits(limit_ms, sure):
    predicted = predict_convergence(read(str(RECORDINGS / "x86_64-kvm-qemu-7.2.jsonl.gz")), limit_ms)
    assert (predicted.converges, predicted.course.converges, predicted.first_pass) == (sure, sure is True, 2)


@pytest.mark.parametrize(
    ("release", "least_ms", "words"),
    [
        (
            "7.2",
            629,
            "if this QEMU uses the formula of QEMU 3.0 and later, the limit is 2087 ms",
        ),
        (
            "11.1",
            296,
            "if this QEMU uses the formula of QEMU 3.0 and later, the limit is 1956 ms",
        ),
        ("power8", 3562, "is that of dirty-rate, a rate instead of an amount"),
    ],
)
def test_a_snapshot_tells_the_least_where_it_cannot_tell_more(release, least_ms, words):
    advice = advise(parse((RECORDINGS / f"info-migrate-{release}.txt").read_bytes()))
    assert (advice.finding, advice.limit_ms) == (Finding.UNKNOWN, None)
    assert f"a limit of at least {least_ms} ms" in advice.reasons[0] or release == "11.1"
    assert words in advice.reasons[1]


@examples(40, phases=[Phase.generate])
@given(st.sampled_from(sorted(RECORDINGS.glob("*.gz"))), st.data())
def test_a_trace_cut_and_thinned_anywhere_gets_an_answer_with_a_reason(path, data):
    trace = read(str(path))
    begin = data.draw(st.integers(0, len(trace.samples) - 1))
    end = data.draw(st.integers(begin + 1, len(trace.samples)))
    step = data.draw(st.integers(1, 60))
    cut = replace(trace, samples=trace.samples[begin:end:step])
    advice = advise(cut)
    assert advice.reasons
    changed_s = min((e.since_s for e in trace.events if e.side == HARNESS and e.name in DISTURBS), default=math.inf)
    seen = {
        sample.ram.dirty_sync_count: sample.ram.mbps
        for sample in cut.samples
        if sample.status == "active"
        and sample.ram is not None
        and sample.answered_s < min(changed_s, trace.switchover_s)
    }
    if cut.samples[-1].status != "completed":
        in_a_row = any(seen.get(number - 1) for number in seen)
        assert in_a_row or advice.finding is Finding.UNKNOWN, (advice, seen)
    assert (advice.limit_ms is not None) == (advice.finding is Finding.FOUND)
    if advice.limit_ms is not None:
        assert advice.range_ms.low <= advice.limit_ms <= advice.range_ms.high
