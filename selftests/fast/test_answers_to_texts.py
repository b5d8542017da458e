# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts as people post them: what `analyze` and `advise` conclude from each, by codes and figures, and what not."""

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge
from selftests.support.documents import TOP

ANSWERS = {
    # name: verdict, code, formula, reported, left now; finding, limit
    "forms/info-migrate-1.6.txt": ("inconclusive", "below-what-is-left", None, 519, 10672.7, "unknown", None),
    "forms/info-migrate-5.2-remaining-below-0.txt": ("inconclusive", "overrun", None, 300, None, "unknown", None),
    "forms/info-migrate-7.0-trimmed.txt": ("inconclusive", "plausible", None, 678, 433.2, "found", 679),
    "forms/qmp-2.3-with-a-disk-and-nan.txt": ("inconclusive", "disk", None, 1, 295.6, "none", None),
    "forms/qmp-in-the-first-pass.txt": ("inconclusive", "first-pass", None, 300, 4254.1, "unknown", None),
    "forms/avocado-log-4.1.txt": ("inconclusive", "no-pass", None, None, None, "unknown", None),
    "forms/info-migrate-4.1-first-100-ms.txt": ("inconclusive", "first-pass", None, 300, None, "unknown", None),
    "forms/info-migrate-10.1-first-pass-multifd.txt": (
        "inconclusive", "first-pass", None, 300, 1993.5, "unknown", None,
    ),
    "forms/info-migrate-10.1-postcopy.txt": ("inconclusive", "postcopy", None, None, None, "unknown", None),
    "forms/info-migrate-2.12-below-parameters.txt": (
        "inaccurate", "another-formula", "dirty-rate", 1475, 3561.8, "unknown", None,
    ),
    "forms/info-migrate-2.9.txt": ("inaccurate", "another-formula", "dirty-rate", 1475, 3561.8, "unknown", None),
    "forms/info-migrate-7.2-quoted.txt": ("inconclusive", "plausible", None, 2086, 628.3, "unknown", None),
    "forms/info-migrate-7.2-below-prose.txt": ("inconclusive", "plausible", None, 2086, 628.3, "unknown", None),
    "forms/info-migrate-7.2-in-a-reply.txt": ("inconclusive", "plausible", None, 2086, 628.3, "unknown", None),
    "forms/info-migrate-7.2-twice.txt": ("inconclusive", "no-pass", None, 2086, 628.3, "unknown", None),
    "forms/info-migrate-7.2-active-then-completed.txt": (
        "inconclusive", "no-pass", None, None, None, "unknown", None,
    ),
    "forms/domjobinfo-below-its-prompt.txt": ("inconclusive", "plausible", None, 1999, 1847.0, "found", 2000),
    "forms/qmp-array.txt": ("inconclusive", "no-pass", None, None, None, "unknown", None),
    "forms/recording-of-a-sample-each-2.1-s.jsonl": (
        "inconclusive", "no-pass", None, 2000, 1800.0, "found", 2121,
    ),
    "texts/kubevirt-2024.txt": ("inconclusive", "no-pass", None, 2149, 1791.6, "unknown", None),
    "texts/nova-2018.txt": ("inconclusive", "nothing-shown", None, None, 6914.9, "unknown", None),
    "texts/proxmox-2014.txt": ("inconclusive", "ended", None, None, None, "unknown", None),
}  # fmt: skip
SENTENCES = {
    "forms/info-migrate-1.6.txt": "519 ms are dirty-rate at 533 MB/s or what is left now at 5427 MB/s; by the mean one "
    "of 264 MB/s 10.7 s are left",
    "forms/avocado-log-4.1.txt": "the migration completed, and the guest was down for 30 ms",
    "forms/info-migrate-10.1-postcopy.txt": "none matters any more; the guest was down for 16 ms",
    "forms/info-migrate-7.2-active-then-completed.txt": "the migration completed, and the guest was down for 76 ms",
    "forms/qmp-2.3-with-a-disk-and-nan.txt": "194 GB are left; 296 ms of RAM are left: no downtime-limit will do",
    "forms/qmp-array.txt": "the migration completed, and the guest was down for 7 ms",
    "texts/proxmox-2014.txt": "the migration completed, and the guest was down for 54 ms",
}
"""What both say."""


def read(name):
    return parse((TOP / "selftests" / name).read_bytes())


@pytest.mark.parametrize("name", ANSWERS)
def test_each_is_answered_by_its_code_and_figures(name):
    verdict, code, formula, reported_ms, left_ms, finding, limit_ms = ANSWERS[name]
    judged, advice = judge(read(name)), advise(read(name))
    assert (judged.verdict, judged.report.code, judged.formula) == (verdict, code, formula)
    assert judged.reported_ms == reported_ms
    assert judged.left_now_ms == (None if left_ms is None else pytest.approx(left_ms, abs=0.06))
    assert (advice.finding, advice.limit_ms) == (finding, limit_ms)


@pytest.mark.parametrize("name", SENTENCES)
def test_what_it_was_is_said_by_both(name):
    for reasons in (judge(read(name)).reasons, advise(read(name)).reasons):
        assert name.endswith("1.6.txt") or any(SENTENCES[name] in reason for reason in reasons), reasons
    assert any(SENTENCES[name] in reason for reason in judge(read(name)).reasons)


@pytest.mark.parametrize("name", ANSWERS)
def test_both_conclude_something_or_neither_does_but_for_limits_of_plausible_reports(name):
    judged, advice = judge(read(name)), advise(read(name))
    told = " ".join((*judged.reasons, *advice.reasons))
    assert "nothing is being sent" not in told
    assert "right is" not in told
    if "dirty-rate gives" in judged.reasons[0]:
        assert "what dirty-rate gives" in " ".join(advice.reasons) and "pending" not in " ".join(advice.reasons)


def test_a_rate_above_what_is_left_is_called_pending_by_neither():
    text = (TOP / "selftests/forms/info-migrate-7.0-trimmed.txt").read_text()
    trace = parse(text.replace("downtime: 678", "downtime: 989").encode())
    judged, advice = judge(trace), advise(trace)
    assert (judged.report.code, judged.formula, advice.limit_ms) == ("formulas-alike", None, None)
    assert "fits last-sync and dirty-rate" in judged.reasons[0] and "fits dirty-rate" in advice.reasons[1]
    assert not any("pending" in reason for reason in advice.reasons)
