# SPDX-License-Identifier: GPL-2.0-or-later
"""What was changed during a migration ends what is judged of it: which samples are before, and which between."""

import pytest

from avocado_migdowntime.verdict.judge import judge
from selftests.support.traces import MBPS, Pass, completed, event, made, precopy

ROWS = precopy(Pass(30_000), Pass(20_000), Pass(20_000))
"""The last of three passes goes from 5.002 s to 7.002 s, with a sample all 20 ms."""
USED = 2 * 91
HARNESS = ["LIMIT", "LIMIT_CHANGED", "FINISH", "BANDWIDTH", "SOUNDING", "STOP_NOW"]


def harness(t_s, name, **data):
    trial = {"trial": "below", "downtime-limit": 1} if name in ("LIMIT", "LIMIT_CHANGED", "FINISH") else {}
    return event(t_s, "harness", name, {**trial, **data})


def used(*events, rows=ROWS):
    return judge(made(rows, events)).samples_used


@pytest.mark.parametrize("name", HARNESS)
def test_what_the_harness_does_ends_what_is_judged(name):
    assert used(harness(6.503, name)) == USED - 25
    assert used(harness(6.501, name)) == USED - 26
    assert used(harness(6.503, name, since=6.001)) == USED - 51  # It may have been so since then.


@pytest.mark.parametrize(
    "other",
    [harness(6.5, "HEARTBEAT"), harness(6.5, "LAGGING"), event(6.5, "source", "LIMIT"), event(6.5, "source", "STOP")],
)
def test_other_events_end_nothing(other):
    assert used(other) == USED


def test_the_first_of_them_counts_and_none_after_the_switchover():
    assert used(harness(6.503, "SOUNDING"), harness(6.803, "STOP_NOW")) == USED - 25
    stop = event(6.603, "source", "STOP")
    switched = [*ROWS, completed(ROWS)]
    assert used(harness(6.503, "FINISH"), stop, rows=switched) == USED - 25
    assert used(stop, harness(6.703, "FINISH"), rows=switched) == USED - 20


def test_a_change_before_all_samples_leaves_the_first():
    verdict = judge(made(ROWS, [harness(0, "LIMIT")]))
    assert (verdict.passes, verdict.samples_used, verdict.samples_dropped) == (
        0,
        0,
        {"first pass: all of RAM is sent, nothing is predicted": 1},
    )


def test_if_somebody_else_sets_a_limit_before_all_samples_the_passes_after_the_next_sync_count():
    verdict = judge(made(ROWS, [harness(0, "LIMIT_CHANGED")]))
    assert (verdict.passes, verdict.samples_used, verdict.downtime_limit_ms) == (1, USED // 2, 1)


CHANGED_S = 6.011
"""Half of the last pass is sent."""


def slowed(seen, late_ms=0.5, end="FINISH", after_ms=11, change=0.5, unchanged=0):
    """The verdict on so many samples at half of the bandwidth, whose report stays, until something else happens.

    The last of them is answered so late. Before them `unchanged` ones still show the bandwidth of before.
    """
    before = [row for row in ROWS if row["t"] < CHANGED_S]
    rest = [row for row in precopy(Pass(30_000), Pass(20_000), Pass(20_000)) if row["t"] > CHANGED_S][
        : unchanged + seen
    ]
    for one in rest[unchanged:]:
        one["query-migrate"]["ram"]["mbps"] = change * MBPS
    rest[-1]["latency_ms"] = late_ms
    end_s = rest[-1]["t"] + after_ms / 1000
    rows, events = [*before, *rest], [harness(CHANGED_S, "BANDWIDTH")]
    if end == "STOP":
        events.append(event(end_s, "source", "STOP"))
        rows.append(completed(rows))
    elif end:
        events.append(harness(end_s, end))
    return judge(made(rows, events))


FROZEN = "the report is -50.00% off last-sync once the bandwidth has changed by -50%"


def found(verdict):
    """Whether the report was found not to follow."""
    if verdict.reasons[0].startswith(FROZEN):
        assert verdict.formula == "frozen"
        return True
    assert verdict.verdict == "accurate"
    return False


@pytest.mark.parametrize("end", ["FINISH", "STOP", "LIMIT", "SOUNDING", None])
def test_three_usable_samples_under_another_bandwidth_tell(end):
    """They count as soon as that is shown, but for the first that shows it, which may be torn."""
    assert found(slowed(4, end=end))
    assert not found(slowed(3, end=end))


@pytest.mark.parametrize(("seen", "tell"), [(3, False), (4, True)])
def test_until_the_other_bandwidth_is_shown_no_sample_counts(seen, tell):
    assert found(slowed(seen, unchanged=3)) == tell


@pytest.mark.parametrize("end", ["FINISH", "STOP"])
@pytest.mark.parametrize(("late_ms", "counts"), [(10, True), (12, False)])
def test_a_sample_that_is_answered_after_the_next_change_is_none_of_them(end, late_ms, counts):
    assert found(slowed(4, late_ms, end)) == counts


def test_a_slowed_pass_that_was_not_judged_tells_nothing():
    """Nor do the samples of another pass, which may have begun since."""
    verdict = judge(made(precopy(Pass(30_000), Pass(20_000)), [harness(2.9, "BANDWIDTH")]))
    assert verdict.passes == 0 and verdict.verdict == "inconclusive"
    later = precopy(Pass(30_000), Pass(20_000), Pass(20_000))
    for one in later:
        if one["t"] > 4.99:
            one["query-migrate"]["ram"]["mbps"] = 0.5 * MBPS
            one["query-migrate"]["expected-downtime"] = 2000
    assert judge(made(later, [harness(5.0015, "BANDWIDTH")])).verdict == "accurate"


def test_the_last_of_several_migrations_is_judged():
    note = "several migrations are recorded: the last one is judged"
    bad = precopy(Pass(30_000), Pass(20_000, expected_ms=3000))
    bad.append({**completed(bad), "t": 6})
    bad[-1]["query-migrate"]["status"] = "failed"
    good = [{**row, "t": row["t"] + 10} for row in ROWS]
    early = harness(4, "LIMIT_CHANGED")
    verdict = judge(made([*bad, *good], [early]))
    assert (verdict.verdict, verdict.passes) == ("accurate", 2) and note in verdict.reasons
    ended = judge(made([*bad, {**bad[-1], "t": 7}]))
    assert ended.reasons[0].startswith("the report is +50.00% off") and note not in ended.reasons
