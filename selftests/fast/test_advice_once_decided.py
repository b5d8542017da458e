# SPDX-License-Identifier: GPL-2.0-or-later
"""What is advised of a migration that completed, failed or went on by postcopy; a millisecond is 10 pages."""

import pytest

from avocado_migdowntime.prediction.advise import advise
from selftests.support.migrations import of
from selftests.support.traces import Pass, completed, made, precopy

SAME = Pass(20_000)


@pytest.mark.parametrize(
    ("status", "finding", "limit_ms", "reason"),
    [
        ("completed", "found", 300, "the migration completed with the downtime-limit of 300 ms"),
        (
            "postcopy-active",
            "unknown",
            None,
            "postcopy has begun, and finishes whatever the downtime-limit is",
        ),
    ],
)
def test_a_migration_that_is_decided_needs_no_advice(status, finding, limit_ms, reason):
    rows = precopy(SAME, SAME)
    final = completed(rows)
    final["query-migrate"]["status"] = status
    advice = advise(made([*precopy(SAME, SAME, limit_ms=300), final], limit_ms=300))
    assert (advice.finding, advice.limit_ms, advice.reasons[0]) == (finding, limit_ms, reason)


@pytest.mark.parametrize(("limit_ms", "advised_ms"), [(300, 300), (300.5, 301)])
def test_a_limit_that_did_is_advised_in_whole_milliseconds(limit_ms, advised_ms):
    rows = precopy(SAME, SAME, Pass(19_000))
    advice = advise(made([*rows, completed(rows)], limit_ms=limit_ms))
    assert (advice.limit_ms, advice.range_ms.low, advice.range_ms.high) == (advised_ms, advised_ms, 2289)
    assert (advice.syncs_seen, advice.best_point.number, advice.best_point.limit_ms) == (2, 3, 1901)
    assert advice.reasons == (f"the migration completed with the downtime-limit of {advised_ms} ms",)
    assert advice.steps_ms == () and advice.bandwidth_bytes_per_ms is None


def test_a_migration_that_completed_in_its_first_pass_shows_no_best_point():
    rows = precopy(SAME)
    advice = advise(made([*rows, completed(rows)], limit_ms=300))
    assert (advice.finding, advice.limit_ms, advice.best_point, advice.syncs_seen) == ("found", 300, None, 0)


@pytest.mark.parametrize(("passes", "syncs"), [([2000, 10], 1), ([10], 0)])
def test_a_switchover_without_a_last_sync_shows_no_limit_that_is_enough(passes, syncs):
    """Then QEMU would have switched over under any limit, and was down for all that was dirtied."""
    advice = advise(of(passes, 300.0, syncs_at_switchover=0))
    assert (advice.finding, advice.limit_ms, advice.syncs_seen) == ("unknown", None, syncs)
    reason = "the migration completed without a last sync, so it does not show which downtime-limit is enough"
    assert advice.reasons == (reason,)
    assert advise(of(passes, 300.0)).limit_ms == 300


def test_where_the_limit_that_did_is_not_known_nothing_is_advised_after_the_end():
    rows = precopy(SAME, SAME, SAME)
    advice = advise(made([*rows, completed(rows, downtime=30)], limit_ms=None))
    assert (advice.finding, advice.limit_ms, advice.configured_ms) == ("unknown", None, None)
    assert advice.reasons == (
        "the migration completed, and the guest was down for 30 ms; QEMU predicts nothing now",
        "the downtime-limit under which it completed is not known",
    )


ENDS = {"failed": "the migration failed", "cancelled": "the migration was cancelled"}


@pytest.mark.parametrize("status", ["failed", "cancelled", "cancelling"])
def test_that_a_migration_failed_is_told_beside_the_advice(status):
    rows = precopy(SAME, SAME)
    rows.append(completed(rows))
    rows[-1]["query-migrate"]["status"] = status
    advice = advise(made(rows, limit_ms=1, header={"arch": "ppc64"}))
    assert (advice.reasons[-1] in ENDS.values()) == (advice.reasons[-1] == ENDS.get(status)) == (status in ENDS)
    assert (advice.subject, advice.configured_ms, advice.limit_ms) == ("ppc64", 1, 2021)
