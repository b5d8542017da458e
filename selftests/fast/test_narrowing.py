# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU reports after a sync tells what that found, within what is known of it."""

import pytest
from msgspec.structs import replace

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.prediction.narrowing import narrowed
from selftests.support.traces import PAGE_BYTES, PAGES_PER_MS, Pass, made, precopy

REPORTED = 2000 * PAGES_PER_MS * PAGE_BYTES
"""2000 ms at the bandwidth that is shown, 81.92 MB."""


def told(low, high):
    """What is known, in shares of what was reported, where before it was known to lie between these."""
    passes = precopy(Pass(30_000), Pass(20_000), Pass(20_000, expected_ms=2000))
    sync = replace(Evidence.of(made(passes)).syncs[1], at_sync_bytes=Interval(low * REPORTED, high * REPORTED))
    found = narrowed(sync).at_sync_bytes
    return found.low / REPORTED, found.high / REPORTED


@pytest.mark.parametrize(
    ("low", "high", "known"),
    [
        (0.95, 1.1, (0.99, 1.01)),
        (0.995, 1.1, (0.995, 1.01)),
        (0.9, 1.005, (0.99, 1.005)),
        (1.02, 1.12, (1.02, 1.02)),
        (0.88, 0.98, (0.98, 0.98)),
        (1.1, 1.2, (1.1, 1.1)),
        (1.12, 1.22, (1.12, 1.22)),
        (0.8, 0.9, (0.8, 0.9)),
        (0.99, 1.02, (0.99, 1.02)),
        (0.6, 1.1, (0.6, 1.1)),
    ],
    ids=[
        "within",
        "from it on",
        "up to it",
        "below",
        "above",
        "as near",
        "far below",
        "far above",
        "known well",
        "known badly",
    ],
)
def test_a_report_tells_what_was_found_up_to_a_hundredth_and_within_what_is_known(low, high, known):
    assert told(low, high) == pytest.approx(known)
