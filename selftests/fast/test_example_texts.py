# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that people have had in hand, each with what is read in it, and what is said where more cannot be."""

from pathlib import Path

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.trace.ram import RAN_OVER

FORMS = Path(__file__).parents[1] / "forms"
KIB = 1024
FIGURES = {
    # file: status, total time in s, expected-downtime in ms, bytes left, page size, dirty syncs, dirty rate, mbps
    "info-migrate-1.6.txt": ("active", 1487.503, 519, 2_753_372 * KIB + 511, 4096, 0, 67_551, 2113.39),
    "info-migrate-7.0-trimmed.txt": ("active", 120.947, 678, 1_048_116 * KIB + 511, 4096, 286, 598_555, 19_818.3),
    "qmp-2.3-with-a-disk-and-nan.txt": ("active", 1543.124, 1, 30_695_424, 4096, 4, 7, 830.636997),
    "qmp-in-the-first-pass.txt": ("active", 20.002, 300, 142_815_232, 4096, 1, 0, 268.5672),
    "info-migrate-4.1-first-100-ms.txt": ("active", 0.102, 300, 4416 * KIB + 511, 4096, 1, 0, 0),
    "info-migrate-10.1-first-pass-multifd.txt": ("active", 6.092, 300, 278 << 20, 4096, 1, 0, 1169.84),
    "info-migrate-10.1-postcopy.txt": ("postcopy-active", 6.522, None, int(5.4 * (1 << 30)), 4096, 2, 0, 949.6),
    "info-migrate-2.12-below-parameters.txt": ("active", 130.874, 1475, 376_892 * KIB + 511, 4096, 6, 39_044, 866.83),
    "info-migrate-2.9.txt": ("active", 130.874, 1475, 376_892 * KIB + 511, 4096, 6, 39_044, 866.83),
    "info-migrate-7.2-in-a-reply.txt": ("active", 3.602, 2086, 7404 * KIB + 511, 4096, 2, 2894, 96.53),
    "info-migrate-7.2-below-prose.txt": ("active", 3.602, 2086, 7404 * KIB + 511, 4096, 2, 2894, 96.53),
    "info-migrate-7.2-quoted.txt": ("active", 3.602, 2086, 7404 * KIB + 511, 4096, 2, 2894, 96.53),
    "avocado-vt-log-of-qmp.txt": ("active", 60, 3000, 235_000_000, 4096, 5, 20_000, 940),
    "avocado-vt-log-of-qmp-2019.txt": ("active", 60, 3000, 235_000_000, 4096, 5, 20_000, 940),
    "avocado-vt-log-of-the-monitor.txt": ("active", 60, 3000, 229_492 * KIB + 511, 4096, 5, 20_000, 940),
    "libvirt-log-of-a-reply-told-twice.txt": ("active", 60, 3000, 235_000_000, 4096, 5, 20_000, 940),
    "info-migrate-7.2-throttled.txt": ("active", 60, 3000, 229_492 * KIB + 511, 4096, 5, 20_000, 940),
    "info-migrate-7.2-postcopy-cut-off.txt": ("postcopy-paused", 60, None, 229_492 * KIB + 511, 4096, 5, 20_000, 940),
    "info-migrate-2025-in-kb.txt": ("active", 60, 3000, 229_492 * KIB + 511, 4096, 5, 20_000, 940),
    "domjobinfo-with-commas.txt": ("active", 60, 3000, int(224.113 * (1 << 20)), 4096, 5, 20_000, 940.002),
    "domjobinfo-postcopy.txt": ("postcopy-active", 60, None, int(224.113 * (1 << 20)), 4096, 5, 20_000, 940.002),
    **dict.fromkeys(
        ("yaml-by-ansible.txt", "yaml-of-a-reply-without-a-page-size.txt"),
        ("active", 60, 14_451, 577_036_288, 4096, 3, 20_000, 940),
    ),
    "info-migrate-7.2-in-two-columns.txt": ("active", 60, 14_451, 563_512 * KIB + 511, 4096, 3, 20_000, 940),
    "ansible-tells-it-twice.txt": ("active", 60, 14_451, int(550.305 * (1 << 20)), 4096, 3, 20_000, 940),
    "domjobinfo-below-its-prompt.txt": ("active", 2.54, 1999, int(36.965 * (1 << 20)), 4096, 2, 5000, 167.881),
}
LACKING = {"info-migrate-1.6.txt": ("ram.dirty-sync-count",)}
WORKED_OUT = {
    "info-migrate-1.6.txt": (["ram.page-size"], ["ram.mbps"]),
    "info-migrate-7.0-trimmed.txt": (["status", "ram.page-size"], []),
    "qmp-2.3-with-a-disk-and-nan.txt": (["ram.page-size"], []),
    "info-migrate-2.9.txt": (["ram.page-size"], []),
    "yaml-of-a-reply-without-a-page-size.txt": (["ram.page-size"], []),
}


def read(name):
    return parse((FORMS / name).read_bytes())


@pytest.mark.parametrize("name", FIGURES)
def test_the_figures_of_one_look_are_read(name):
    trace = read(name)
    (sample,) = trace.samples
    ram = sample.ram
    status, total_s, expected_ms, remaining, page, syncs, dirty, mbps = FIGURES[name]
    assert (sample.status, sample.t_s, sample.expected_downtime_ms) == (status, total_s, expected_ms)
    assert (ram.remaining_bytes, ram.page_bytes, ram.dirty_sync_count, ram.dirty_pages_per_s) == (
        remaining,
        page,
        syncs,
        dirty,
    )
    assert ram.mbps == pytest.approx(mbps, rel=1e-5, abs=0.003)
    assert trace.snapshot and trace.lacks == LACKING.get(name, ())
    derived, estimated = WORKED_OUT.get(name, ([], []))
    assert (list(trace.readings[0].derived), list(trace.readings[0].estimated)) == (derived, estimated)


def test_each_example_is_tried():
    of_several = {
        "avocado-log-4.1.txt",
        "info-migrate-5.2-remaining-below-0.txt",
        "info-migrate-7.2-active-then-completed.txt",
        "info-migrate-7.2-twice.txt",
        "qmp-array.txt",
        "recording-of-a-sample-each-2.1-s.jsonl",
        *("guestperf-report.txt", "log-with-its-newest-line-first.txt", "mail-above-the-one-it-answers.txt"),
        "table-of-looks.txt",
    }
    assert {path.name for path in FORMS.iterdir()} == of_several | FIGURES.keys()


def test_the_limit_in_a_text_is_the_one_that_is_set():
    trace = read("info-migrate-2.12-below-parameters.txt")
    assert trace.migrate_parameters == {"downtime-limit": 300, "max-bandwidth": 9_223_372_036_853_727_232}


def test_what_is_left_of_a_disk_is_read():
    assert read("qmp-2.3-with-a-disk-and-nan.txt").readings[0].answer["disk"]["remaining"] == 193_896_382_464


def test_a_postcopy_has_its_downtime():
    assert read("info-migrate-10.1-postcopy.txt").samples[0].downtime_ms == 16


def test_a_counter_that_ran_below_0_is_said_to_have_done_so():
    trace = read("info-migrate-5.2-remaining-below-0.txt")
    assert trace.samples[0].ram is None and "a counter ran below 0" in trace.notes[0]


@pytest.mark.parametrize(
    ("name", "times_s", "statuses"),
    [
        ("avocado-log-4.1.txt", [0.102, 0.137], ["active", "completed"]),
        ("info-migrate-7.2-active-then-completed.txt", [3.602, 4.602], ["active", "completed"]),
        ("info-migrate-7.2-twice.txt", [3.602, 3.602], ["active", "active"]),
        ("recording-of-a-sample-each-2.1-s.jsonl", [0, 2.1, 4.2, 6.3], ["active"] * 4),
        ("guestperf-report.txt", [0.03, 29.761, 50.489, 64.94, 75.016], ["active"] * 5),
        ("log-with-its-newest-line-first.txt", [40, 50, 58], ["active"] * 3),
        ("mail-above-the-one-it-answers.txt", [40, 60], ["active"] * 2),
        ("table-of-looks.txt", [40, 50, 58], ["active"] * 3),
    ],
)
def test_several_looks_are_a_trace_on_the_clock_that_is_in_them(name, times_s, statuses):
    trace = read(name)
    assert trace.samples.t_s.tolist() == pytest.approx(times_s) and not trace.snapshot
    assert [one.status for one in trace.samples] == statuses


def test_an_array_of_replies_is_a_trace():
    trace = read("qmp-array.txt")
    assert trace.samples.t_s.tolist()[:3] == [1.418, 3.421, 6.253] and trace.samples[-1].downtime_ms == 7


def test_a_stop_lies_where_the_log_has_it():
    trace = read("avocado-log-4.1.txt")
    assert [(one.name, 0.102 <= one.t_s <= 0.137) for one in trace.events] == [("STOP", True)]
    assert trace.samples[-1].downtime_ms == 30


@pytest.mark.parametrize("remaining", ["-4096", "18446744073709547520", "18446744073709551612"])
def test_a_counter_of_qmps_that_ran_below_0_is_none_either(remaining):
    text = (FORMS / "qmp-in-the-first-pass.txt").read_text().replace("142815232", remaining)
    trace = parse(text.encode())
    assert trace.samples[0].ram is None and trace.notes == (RAN_OVER,)
