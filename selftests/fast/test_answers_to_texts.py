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
    "forms/avocado-vt-log-of-qmp.txt": ("inconclusive", "plausible", None, 3000, 2000.0, "unknown", None),
    "forms/avocado-vt-log-of-qmp-2019.txt": ("inconclusive", "plausible", None, 3000, 2000.0, "unknown", None),
    "forms/avocado-vt-log-of-the-monitor.txt": ("inconclusive", "plausible", None, 3000, 2000.0, "unknown", None),
    "forms/libvirt-log-of-a-reply-told-twice.txt": ("inconclusive", "plausible", None, 3000, 2000.0, "unknown", None),
    "forms/info-migrate-2025-in-kb.txt": ("inconclusive", "plausible", None, 3000, 2000.0, "unknown", None),
    "forms/domjobinfo-with-commas.txt": ("inconclusive", "plausible", None, 3000, 2000.0, "unknown", None),
    "forms/domjobinfo-postcopy.txt": ("inconclusive", "postcopy", None, None, None, "unknown", None),
    "texts/domjobinfo-completed-at-the-destination.txt": ("inconclusive", "ended", None, None, None, "unknown", None),
    "texts/info-migrate-7.2-failed.txt": ("inconclusive", "ended", None, None, None, "unknown", None),
    "texts/info-migrate-7.2-cancelled.txt": ("inconclusive", "ended", None, None, None, "unknown", None),
    "forms/info-migrate-7.2-throttled.txt": ("inconclusive", "plausible", None, 3000, 2000.0, "unknown", None),
    "forms/info-migrate-7.2-postcopy-cut-off.txt": ("inconclusive", "postcopy", None, None, None, "unknown", None),
    "texts/domjobinfo-of-two-guests.txt": ("inconclusive", "plausible", None, 3000, 2678.1, "found", 3001),
    "texts/info-migrate-misread-from-an-image.txt": (
        "inconclusive", "below-what-is-left", None, 1475, 2710.6, "unknown", None,
    ),
    "texts/info-migrate-10.1-postcopy-without-its-status.txt": (
        "inconclusive", "postcopy", None, None, None, "unknown", None,
    ),
    "texts/qmp-cut-off.txt": ("inconclusive", "plausible", None, 2086, 628.3, "unknown", None),
    "texts/qmp-completed-by-an-event.txt": ("inconclusive", "no-pass", None, None, None, "unknown", None),
    "texts/info-migrate-filtered.txt": ("inconclusive", "plausible", None, 2990, 876.7, "unknown", None),
    "texts/info-migrate-with-thousands-apart.txt": (
        "inaccurate", "another-formula", "dirty-rate", 1475, 3561.8, "unknown", None,
    ),
    "texts/proxmox-2024-dirties-faster.txt": ("inconclusive", "nothing-shown", None, None, None, "unknown", None),
    "texts/proxmox-2018-limit-raised.txt": ("inconclusive", "ended", None, None, None, "unknown", None),
    "texts/proxmox-2024-failed.txt": ("inconclusive", "ended", None, None, None, "unknown", None),
    "texts/nova-2023-completed.txt": ("inconclusive", "ended", None, None, None, "unknown", None),
    "texts/kubevirt-2024-aborted.txt": ("inconclusive", "no-pass", None, None, None, "unknown", None),
    "texts/kubevirt-2024-postcopy.txt": ("inconclusive", "postcopy", None, None, None, "unknown", None),
    "texts/vdsm-2024-aborted.txt": ("inconclusive", "ended", None, None, None, "unknown", None),
    "texts/kubevirt-2024.txt": ("inconclusive", "no-pass", None, 2149, 1791.6, "unknown", None),
    "texts/nova-2018.txt": ("inconclusive", "nothing-shown", None, None, 6914.9, "unknown", None),
    "texts/proxmox-2014.txt": ("inconclusive", "ended", None, None, None, "unknown", None),
}  # fmt: skip
SENTENCES = {
    "forms/info-migrate-1.6.txt": (
        "519 ms fit dirty-rate at 533 MB/s or what is left now at 5427 MB/s; at the mean of 264 MB/s, 10.7 s are left"
    ),
    "forms/avocado-log-4.1.txt": "the migration completed, and the guest was down for 30 ms",
    "forms/info-migrate-10.1-postcopy.txt": "whatever the downtime-limit is; the guest was down for 16 ms",
    "forms/info-migrate-7.2-active-then-completed.txt": "the migration completed, and the guest was down for 76 ms",
    "forms/qmp-2.3-with-a-disk-and-nan.txt": "while 194 GB of it are left; sending the RAM left takes 296 ms",
    "forms/qmp-array.txt": "the migration completed, and the guest was down for 7 ms",
    "texts/domjobinfo-completed-at-the-destination.txt": "the migration completed, and the guest was down for 81 ms",
    "texts/info-migrate-7.2-failed.txt": "the reason shown: Unable to write to socket: Connection reset",
    "texts/info-migrate-7.2-cancelled.txt": "the migration was cancelled",
    "forms/info-migrate-7.2-throttled.txt": "auto-converge stops the guest's CPUs for 40 % of their time",
    "forms/info-migrate-7.2-postcopy-cut-off.txt": "postcopy is interrupted until it is recovered",
    "texts/proxmox-2024-dirties-faster.txt": "the guest dirtied 189 MB/s, but 117 MB/s (113 to 121) were sent",
    "texts/proxmox-2018-limit-raised.txt": "the migration completed, and the guest was down for 97 ms",
    "texts/proxmox-2024-failed.txt": "the reason shown: Unable to write to socket: Broken pipe",
    "texts/nova-2023-completed.txt": "the migration completed; QEMU predicts nothing now",
    "texts/kubevirt-2024-aborted.txt": "the migration was cancelled",
    "texts/kubevirt-2024-postcopy.txt": "postcopy has begun",
    "texts/vdsm-2024-aborted.txt": "the migration was cancelled",
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
    assert "QEMU sends nothing" not in told
    assert "right is" not in told
    if "matches dirty-rate" in judged.reasons[0]:
        assert "is that of dirty-rate" in " ".join(advice.reasons) and "pending" not in " ".join(advice.reasons)


def test_a_rate_above_what_is_left_is_called_pending_by_neither():
    text = (TOP / "selftests/forms/info-migrate-7.0-trimmed.txt").read_text()
    trace = parse(text.replace("downtime: 678", "downtime: 989").encode())
    judged, advice = judge(trace), advise(trace)
    assert (judged.report.code, judged.formula, advice.limit_ms) == ("formulas-alike", None, None)
    assert "fits last-sync and dirty-rate" in judged.reasons[0] and "fits dirty-rate" in advice.reasons[1]
    assert not any("pending" in reason for reason in advice.reasons)


@pytest.mark.parametrize("name", ANSWERS)
def test_nothing_is_said_of_another_product_or_of_several_guests_where_there_is_one(name):
    said = " ".join((*judge(read(name)).reasons, *advise(read(name)).reasons))
    assert ("guests are migrated" in said) == (name == "texts/domjobinfo-of-two-guests.txt")
    assert ("Nova" in said) <= name.startswith("texts/nova")


@pytest.mark.parametrize(
    ("name", "limit_ms"),
    [
        ("proxmox-2018-limit-raised.txt", 200),
        ("nova-2023-completed.txt", 95),
        ("proxmox-2014.txt", 100),
    ],
)
def test_of_a_log_that_tells_each_limit_the_last_one_is_the_one_that_is_set(name, limit_ms):
    trace = read(f"texts/{name}")
    assert judge(trace).downtime_limit_ms == advise(trace).configured_ms == limit_ms
