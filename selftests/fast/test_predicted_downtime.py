# SPDX-License-Identifier: GPL-2.0-or-later
"""The downtime held against what QEMU said last, and against the downtime-limit that held then."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.predicted_downtime import PredictedDowntime
from selftests.support.traces import Pass, answers, completed, event, made, precopy

FIXED_MS = 40


CHANGED_S = 7.001
"""Just before the guest is stopped."""


def changed(limit_ms, name="LIMIT_CHANGED", **data):
    return event(CHANGED_S, "harness", name, {"downtime-limit": limit_ms, "trial": "chosen", **data})


def predicted_2000_ms(down_ms, change=None, alter=None, stop_ms=1, latency_ms=0.5, fixed_ms=FIXED_MS):
    """The verdict on a guest that was down for so long, less FIXED_MS, where 2000 ms had been said."""
    rows = precopy(Pass(30_000), Pass(20_000), Pass(20_000))
    if alter:
        alter(rows)
    rows[-1]["latency_ms"] = latency_ms
    stop = event(rows[-1]["t"] + stop_ms / 1000, "source", "STOP")
    final = completed(rows, downtime=down_ms + FIXED_MS)
    header = {} if fixed_ms is None else {"fixed_downtime_ms": fixed_ms}
    verdict = judge(made([*rows, final], [change or changed(5000), stop], 1, header))
    assert (verdict.predicted_downtime is None) or verdict.predicted_downtime.reason in ("", *verdict.reasons)
    return verdict


def outcome(*given, **more):
    predicted = predicted_2000_ms(*given, **more).predicted_downtime
    return predicted.judgement, predicted.reason


MATCH = "match", ""


@pytest.mark.parametrize(
    ("down_ms", "off"), [(1790, "-10%"), (1810, None), (2000, None), (2190, None), (2210, "+10%"), (4000, "+100%")]
)
def test_it_may_be_a_tenth_longer_or_shorter_than_what_was_said(down_ms, off):
    said = f"the guest was down for {down_ms + 40} ms, 40 ms of them for its devices, but QEMU predicted 2000 ms: {off}"
    verdict = predicted_2000_ms(down_ms)
    predicted = verdict.predicted_downtime
    assert (predicted.judgement, predicted.reason) == (("mismatch", said) if off else MATCH)
    assert (predicted.predicted_ms, predicted.down_ms, predicted.fixed_ms, predicted.limit_ms) == (
        2000,
        down_ms + 40,
        40,
        5000,
    )
    assert predicted.error == pytest.approx(down_ms / 2000 - 1)
    assert verdict.passed is (off is None)


@pytest.mark.parametrize(("limit_ms", "above"), [(1818, True), (1819, False)])
def test_a_downtime_that_was_said_may_still_be_a_tenth_more_than_the_limit(limit_ms, above):
    beyond = "the guest was down for 2040 ms, 40 ms of them for its devices, but the downtime-limit was 1818 ms"
    assert outcome(2000, changed(limit_ms)) == (("mismatch", beyond) if above else MATCH)


@pytest.mark.parametrize(("error", "code"), [(0.1, "match"), (-0.1, "match"), (0.1001, "not-as-reported")])
def test_a_tenth_is_not_too_much(error, code):
    assert PredictedDowntime(2000, 2240, 40, 5000, error).check.code == code


@pytest.mark.parametrize(("down_ms", "code"), [(1140, "match"), (1140.1, "above-the-limit")])
def test_nor_is_a_tenth_more_than_the_limit(down_ms, code):
    assert PredictedDowntime(1100, down_ms, 40, 1000, 0.0).check.code == code


def busy_at_the_end(rows):
    """The last window, of a busy host, sent 31 % more than others; QEMU divided by that."""
    for row in rows[-3:]:
        answer = row["query-migrate"]
        answer["ram"]["mbps"] *= 1.31
        answer["expected-downtime"] = round(2000 / 1.31)


@pytest.mark.parametrize(
    ("down_ms", "code"),
    [(1400, "match"), (1650, "match"), (2000, "odd-window"), (2600, "odd-window"), (2700, "not-as-reported")],
)
def test_a_last_report_of_a_window_unlike_the_others_accuses_nobody(down_ms, code):
    verdict = predicted_2000_ms(down_ms, alter=busy_at_the_end)
    predicted = verdict.predicted_downtime
    assert (predicted.predicted_ms, predicted.check.code) == (1527, code)
    assert predicted.window == pytest.approx(0.31)
    assert verdict.passed is {"match": True, "odd-window": None, "not-as-reported": False}[code]
    assert fields(verdict)["promise"]["judgement"] == {"match": "kept", "odd-window": "undecided"}.get(code, "broken")
    assert predicted.reason.endswith("it had sent +31% in that window, which may be why") is (code == "odd-window")
    assert "promise    " in summary(verdict)


@pytest.mark.parametrize(
    ("error", "window", "code"),
    [
        (0.31, 0.31, "odd-window"),
        (-0.2, -0.2, "odd-window"),
        (0.31, 0.1, "not-as-reported"),  # No more off than what is allowed
        (-0.2, 0.31, "not-as-reported"),  # It explains the contrary.
        (0.72, 0.31, "not-as-reported"),  # Far beyond it
        (1.0, 0.11, "not-as-reported"),
    ],
)
def test_it_explains_no_more_than_as_much_again(error, window, code):
    assert PredictedDowntime(1000, 1000 * (1 + error), 0, 5000, error, window).check.code == code


@pytest.mark.parametrize(
    ("down_ms", "window", "code"),
    [(1400, 0.31, "odd-window"), (1450, 0.31, "above-the-limit"), (1400, 0.1, "above-the-limit")],
)
def test_nor_does_it_violate_the_limit_that_it_was_held_against(down_ms, window, code):
    assert PredictedDowntime(1400, down_ms, 0, 1000, 0.0, window).check.code == code


@pytest.mark.parametrize(
    ("name", "since", "limit_ms"),
    [
        ("LIMIT", {}, 3000),
        ("FINISH", {}, 3000),
        ("LIMIT_CHANGED", {}, 3000),
        ("LIMIT_CHANGED", {"since": 7.0025}, 3000),
        ("LIMIT_CHANGED", {"since": 7.0035}, 1),  # The guest was stopped at 7.003 s.
    ],
)
def test_the_limit_is_that_which_held_when_the_guest_was_stopped(name, since, limit_ms):
    assert predicted_2000_ms(2000, changed(3000, name, **since)).predicted_downtime.limit_ms == limit_ms


def test_a_limit_that_is_not_known_is_not_exceeded():
    rows = precopy(Pass(30_000), Pass(20_000))
    final = completed(rows, downtime=2000 + FIXED_MS)
    predicted = judge(made([*rows, final], limit_ms=None, header={"fixed_downtime_ms": FIXED_MS})).predicted_downtime
    assert (predicted.judgement, predicted.limit_ms) == ("match", None)


@pytest.mark.parametrize(
    ("given", "predicted_ms"),
    [
        ({}, 1500),
        ({"stop_ms": 5, "latency_ms": 6}, 2000),  # Answered after the stop
        ({"stop_ms": 5, "latency_ms": 4}, 1500),
        ({"stop_ms": 0, "latency_ms": 0}, 2000),  # At the very moment
        ({"said_ms": 0}, 2000),
        ({"said_ms": 1}, 1),
        ({"field": ("dirty-pages-rate", 0)}, 2000),  # QEMU computes nothing then.
        ({"field": ("mbps", 0.8)}, 2000),
    ],
)
def test_what_was_said_last_is_what_qemu_had_computed_before_the_stop(given, predicted_ms):
    given = dict(given)
    field, said_ms = given.pop("field", None), given.pop("said_ms", 1500)

    def alter(rows):
        last = rows[-1]["query-migrate"]
        last["expected-downtime"] = said_ms
        if field:
            last["ram"][field[0]] = field[1]

    assert predicted_2000_ms(2000, alter=alter, **given).predicted_downtime.predicted_ms == predicted_ms


LONGER = "it had sent +6% in that window", "the guest had dirtied +6% in its last pass"
SHORTER = "it had sent -6% in that window", "the guest had dirtied -6% in its last pass"
STALLED = "the host kept QEMU from running for up to 100 ms while the guest was down"


@pytest.mark.parametrize(
    ("error", "more", "code", "why"),
    [
        (0.15, {"stalled_ms": 100}, "stalled", STALLED),
        (0.2001, {"stalled_ms": 100}, "not-as-reported", None),
        (-0.15, {"stalled_ms": 100}, "not-as-reported", None),
        (0.165, {"dirtied": 0.06}, "dirtied-otherwise", LONGER[1]),
        (0.167, {"dirtied": 0.06}, "not-as-reported", None),
        (-0.153, {"dirtied": -0.06}, "dirtied-otherwise", SHORTER[1]),
        (-0.155, {"dirtied": -0.06}, "not-as-reported", None),
        (-0.12, {"dirtied": 0.06}, "not-as-reported", None),
        (0.12, {"dirtied": -0.06}, "not-as-reported", None),
        (0.165, {"window": 0.06}, "odd-window", LONGER[0]),
        (-0.153, {"window": -0.06}, "odd-window", SHORTER[0]),
        (0.26, {"window": 0.06, "dirtied": 0.0603}, "dirtied-otherwise", f"{LONGER[1]}, and {LONGER[0]}"),
        (0.26, {"window": 0.0603, "dirtied": 0.06}, "odd-window", f"{LONGER[0]}, and {LONGER[1]}"),
        (-0.21, {"window": -0.06, "dirtied": -0.0603}, "dirtied-otherwise", f"{SHORTER[1]}, and {SHORTER[0]}"),
        (0.22, {"window": 0.06, "stalled_ms": 100}, "stalled", f"{STALLED}, and {LONGER[0]}"),
        (0.22, {"window": 0.05, "stalled_ms": 101}, "stalled", STALLED.replace("100", "101")),
        (-0.1, {"dirtied": 0.4, "window": 0.4, "stalled_ms": 900}, "match", None),  # It came true.
    ],
)
def test_what_the_guest_or_the_host_did_accuses_nobody(error, more, code, why):
    """Nor does all of that together; it is said which of it was the most, and what was at least half as much."""
    check = PredictedDowntime(1000, 1000 * (1 + error), 0, 5000, error, **more).check
    assert check.code == code
    assert check.sentence.endswith(f"; {why}, which may be why") if why else "may be why" not in check.sentence


@pytest.mark.parametrize(
    ("stalled_ms", "window", "code"),
    [(110, 0, "stalled"), (109, 0, "above-the-limit"), (0, 0.1, "above-the-limit"), (110, 0.101, "odd-window")],
)
def test_nor_is_the_limit_exceeded_by_what_the_host_may_have_stalled(stalled_ms, window, code):
    check = PredictedDowntime(1210, 1210, 0, 1000, 0.0, window, dirtied=0.9, stalled_ms=stalled_ms).check
    assert check.code == code and "dirtied" not in check.sentence


@pytest.mark.parametrize(("sent", "dirtied"), [(20_000, 0.0), (18_600, -0.07), (21_000, 0.05), (0, 0.0)])
def test_what_the_guest_dirtied_is_what_was_sent_after_the_stop_by_the_sync_that_the_report_is_of(sent, dirtied):
    rows = precopy(Pass(30_000), Pass(20_000), Pass(20_000))
    final = completed(rows, dirtied=sent, downtime=2000)
    stop = event(rows[-1]["t"] + 0.001, "source", "STOP")
    predicted = judge(made([*rows, final], [changed(5000), stop], 1, {"fixed_downtime_ms": 0})).predicted_downtime
    assert predicted.dirtied == pytest.approx(dirtied)


@pytest.mark.parametrize(
    ("shown_ms", "dirtied"),
    [(1500, 0.2), (1900, 0.0)],  # Computed at the end of the pass before the last sync, or after it.
)
def test_a_report_that_is_first_seen_after_a_sync_may_be_of_the_one_before(shown_ms, dirtied):
    rows = precopy(Pass(30_000), Pass(15_000), Pass(18_000))
    last = [one["query-migrate"] for one in rows if one["query-migrate"]["ram"]["dirty-sync-count"] == 3]
    for answer in last:
        answer["expected-downtime"] = shown_ms
    before = next(one for one in reversed(rows) if one["query-migrate"]["ram"]["dirty-sync-count"] == 2)
    before["query-migrate"]["expected-downtime"] = 1501
    final = completed(rows, dirtied=18_000, downtime=1800)
    stop = event(rows[-1]["t"] + 0.001, "source", "STOP")
    predicted = judge(made([*rows, final], [stop], 1, {"fixed_downtime_ms": 0})).predicted_downtime
    assert (predicted.predicted_ms, predicted.dirtied) == (shown_ms, pytest.approx(dirtied))


def test_the_reports_of_the_first_pass_are_none():
    def alter(rows):
        for number in (2, 3):
            for answer in answers(rows, number):
                answer["expected-downtime"] = 0

    assert predicted_2000_ms(2000, alter=alter).predicted_downtime is None


def test_without_what_an_idle_guest_takes_there_is_nothing_to_compare():
    assert predicted_2000_ms(2000, fixed_ms=None).predicted_downtime is None
    with pytest.raises(UsageError, match="'fixed_downtime_ms' is 'long' where a number from 0 up was expected"):
        predicted_2000_ms(2000, fixed_ms="long")


@pytest.mark.parametrize(("down_ms", "word", "off"), [(2000, "kept", "+0.0%"), (4000, "broken", "+100.0%")])
def test_outputs_keep_the_words_that_readers_know(down_ms, word, off):
    verdict = predicted_2000_ms(down_ms)
    promise = fields(verdict)["promise"]
    assert (promise["judgement"], promise["said_ms"], promise["down_ms"]) == (word, 2000, down_ms + 40)
    assert f"{word}: last report 2000 ms, downtime {down_ms + 40} ms with 40 ms for devices, error {off}" in summary(
        verdict
    )
