# SPDX-License-Identifier: GPL-2.0-or-later
"""Property tests of the bandwidth: a right mbps is never called wrong, on however busy a host; a wrong one is found."""

from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.windows import sending
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.verdict.bandwidth import judge_bandwidth

from ..support.examples import examples
from ..support.windows import Sender

slow = examples(60)
BANDWIDTHS = st.floats(3_000, 600_000)
SEEDS = st.integers(0, 2**32)


def found(samples):
    return judge_bandwidth(Evidence.of(Trace(samples)))


@slow
@given(
    BANDWIDTHS,
    st.floats(0.1, 60),
    st.floats(0, 0.3),
    st.floats(0, 0.5),
    st.booleans(),
    st.sampled_from([1, 32_768]),
    st.floats(2, 120),
    st.floats(0.2, 170),
    SEEDS,
)
def test_a_right_bandwidth_is_never_called_wrong(
    bandwidth, late, halts, noise, steadily, buffer, spacing, latency, seed
):
    sender = Sender(bandwidth, late, halts, noise, steadily, buffer)
    samples = sender.samples(4_000, spacing, latency, seed)
    finding = found(samples)
    assert finding.code in ("as-sent", "wide", "not-seen"), finding
    if finding.error_interval is not None:
        assert finding.error_interval.low <= 0.001 and finding.error_interval.high >= -0.001, finding


@slow
@given(BANDWIDTHS, st.sampled_from([0.5, 0.8, 1.25, 2.0]), st.booleans(), st.floats(5, 25), st.floats(0.2, 3), SEEDS)
def test_a_wrong_bandwidth_is_found(bandwidth, factor, steadily, spacing, latency, seed):
    sender = Sender(bandwidth, noise=0.01, steadily=steadily, mbps_factor=factor)
    samples = sender.samples(3_000, spacing, latency, seed)
    finding = found(samples)
    assert finding.code == "not-as-sent", finding
    assert finding.error_interval.low <= factor - 1 <= finding.error_interval.high
    assert sending(samples, float("inf")).windows >= 10
