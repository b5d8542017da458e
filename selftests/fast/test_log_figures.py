# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures as logs and virsh print them: what they may have been, and what is filled in that is not shown."""

import json

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.domjobinfo import of_fields
from avocado_migdowntime.forms.encoding import Utf8
from avocado_migdowntime.forms.figures import cut_off, reading, scaled, size_of
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.filling import filled
from avocado_migdowntime.forms.objects import parsed
from avocado_migdowntime.forms.remaining import left_in_words, left_ms, limit_in_words, past_first_pass
from avocado_migdowntime.trace.reading import Reading, Remark

from ..support.log_readings import readings, remarks
from ..support.recorded import RECORDINGS


def told(**ram):
    return Reading({"status": "active", "ram": ram})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("300", 300),
        ("300 B", 300),
        ("1.5 KiB", Interval(1.45 * 1024, 1.55 * 1024)),
        ("2MiB", Interval(1.5 * 1024**2, 2.5 * 1024**2)),
        ("2.00 GB", Interval(1.995 * 1024**3, 2.005 * 1024**3)),
        ("3.0", 3),
        ("3.4 B", Interval(3.35, 3.45)),
    ],
)
def test_a_size_is_known_to_its_last_digit(text, found):
    shown = size_of(text)
    if isinstance(found, Interval):
        assert (shown.low, shown.high) == pytest.approx((found.low, found.high))
    else:
        assert shown == found
    with pytest.raises(ValueError, match="'much' is no size"):
        size_of("much")


def test_a_figure_in_another_unit_is_as_open():
    assert (cut_off(3), cut_off(3, 10)) == (Interval(3, 4), Interval(30, 40))
    assert (scaled(3, 10), scaled(Interval(3, 4), 10)) == (30, Interval(30, 40))


def test_of_an_open_figure_the_middle_is_shown_and_of_a_time_or_a_zero_the_least():
    figures = {
        "total-time": Interval(1000.5, 2000),
        "setup-time": Interval(3, 4),
        "ram.mbps": Interval(8, 9),
        "ram.remaining": Interval(0, 10),
        "ram.normal": Interval(10, 11.2),
        "ram.total": None,
        "ram.duplicate": 7.0,
    }
    made = reading("active", figures, None, "a guest", {"a": "b"}, {"c": "d"})
    ram = {"mbps": 8.5, "remaining": 0, "normal": 11, "duplicate": 7}
    assert made.answer == {"status": "active", "total-time": 1000.5, "setup-time": 4, "ram": ram}
    assert made.rounding == {name: figure for name, figure in figures.items() if isinstance(figure, Interval)}
    assert (made.of, made.derived, made.estimated) == ("a guest", {"a": "b"}, {"c": "d"})


def test_what_was_left_takes_as_long_as_its_figures_leave_open():
    """A millisecond at 8 Mb/s is 1000 bytes."""
    exact = told(remaining=500_000, mbps=8)
    assert (left_ms(exact), left_in_words(exact)) == (Interval(500, 500), "0.5 MB were left: 500 ms at 1 MB/s")
    names = {"ram.remaining": Interval(1_000_000, 3_000_000), "ram.mbps": Interval(8, 16)}
    rough = Reading(exact.answer, rounding=names)
    assert left_ms(rough) == Interval(500, 3000)
    in_words = "2 MB (1 to 3) were left: 1.75 s (0.5 to 3) at 1.5 MB/s (1 to 2)"
    assert left_in_words(rough) == in_words
    for other in (told(remaining=500_000), told(mbps=8), told(remaining=500_000, mbps=0)):
        assert (left_ms(other), left_in_words(other)) == (None, "")
    assert limit_in_words(exact, 300) == "the downtime-limit of 300 ms is 0.3 MB at 1 MB/s"
    assert limit_in_words(told(), 300) == ""
    assert limit_in_words(told(mbps=8000), 2_000_000) == "the downtime-limit of 2000000 ms is 2000000 MB at 1000 MB/s"


@pytest.mark.parametrize(
    ("ram", "past"),
    [
        ({"transferred": 600, "remaining": 410, "total": 1000}, False),
        ({"transferred": 600, "remaining": 411, "total": 1000}, True),
        ({"transferred": 600, "remaining": 500}, False),
        ({"dirty-sync-count": 1}, False),
        ({"dirty-sync-count": 2}, True),
        ({}, False),
    ],
)
def test_the_first_pass_is_over_where_more_than_all_is_sent_or_a_second_is_counted(ram, past):
    assert past_first_pass(told(**ram)) is past


def test_a_bandwidth_of_virsh_is_in_bytes_a_second_whole_ones_where_it_has_no_unit():
    fields = {"type": "Unbounded", "memory_total": "4096", "memory_bps": "125000", "memory_iteration": "3"}
    fields["memory_page_size"] = "4096"
    (raw,) = of_fields({**fields, "operation": "5"}, None, None)
    assert raw.answer["ram"]["mbps"] == pytest.approx(1)
    open_by = raw.rounding["ram.mbps"]
    assert (open_by.low, open_by.high) == pytest.approx((1, 1.000008), rel=1e-7)
    (silent,) = of_fields({name: fields[name] for name in fields if name != "memory_bps"}, None, None)
    assert (silent.answer["ram"]["mbps"], silent.answer["ram"]["dirty-pages-rate"]) == (0, 0)


@pytest.mark.parametrize("name", ["type", "Job type"])
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *(("0", "none"), ("None", "none"), ("1", "active"), ("Bounded", "active"), ("2", "active")),
        *(("3", "completed"), ("Completed", "completed"), ("4", "failed"), ("Failed", "failed")),
        *(("5", "cancelled"), ("Cancelled", "cancelled")),
    ],
)
def test_a_job_is_of_a_kind_by_its_name_or_by_libvirts_number(name, kind, status):
    (told,) = of_fields({name: kind, "memory_total": "4096"}, None, None)
    assert told.answer["status"] == status
    with pytest.raises(UsageError, match="^Job type is '6' where one of None, "):
        list(of_fields({name: "6"}, None, None))


@pytest.mark.parametrize(("shown", "status"), [({"Total downtime": "9 ms"}, "completed"), ({"downtime": 9}, "active")])
def test_a_job_whose_kind_is_not_shown_is_over_where_virsh_shows_its_whole_downtime(shown, status):
    (told,) = of_fields({**shown, "memory_total": "4096"}, None, None)
    assert told.answer["status"] == status


@pytest.mark.parametrize("name", ["operation", "Operation"])
@pytest.mark.parametrize(
    ("operation", "job", "where"),
    [
        *(
            ("0", "Unknown", ""),
            ("2", "Save", ""),
            ("10", "Snapshot delete", ""),
            ("11", "11", ""),
            ("Save", "Save", ""),
        ),
        ("4", "Incoming migration", ": that is shown on the source host"),
        ("Incoming migration", "Incoming migration", ": that is shown on the source host"),
    ],
)
def test_another_job_than_an_outgoing_migration_is_named(name, operation, job, where):
    (told,) = of_fields({name: operation, "memory_total": "4096"}, None, 7.0)
    assert told == Remark(f"the job is {job!r} where an outgoing migration was expected{where}", arrived_s=7.0)
    assert isinstance(next(iter(of_fields({name: operation, "type": "None"}, None, None))), Reading)


@pytest.mark.parametrize("shown", [{}, {"operation": "5"}, {"Operation": "Outgoing migration"}])
def test_an_outgoing_migration_is_one_also_where_nothing_else_is_said(shown):
    (told,) = of_fields({**shown, "memory_total": "4096"}, None, None)
    assert told.answer["status"] == "active"


@pytest.mark.parametrize(("others", "jobs"), [(0, 1), (1, 1), (2, 2)])
def test_one_line_may_stand_between_the_head_of_a_job_and_its_figures(others, jobs):
    head, _, figures = (RECORDINGS / "domjobinfo-9.0.txt").read_text().partition("\n")
    assert len(readings((f"{head}\n" + "some words\n" * others + figures).encode())) == jobs


@pytest.mark.parametrize(
    ("beside", "notes"),
    [
        ({}, 0),
        ({"vfio": {"transferred": 0}}, 0),
        ({"vfio": {"transferred": 1}}, 1),
        ({"cpu-throttle-percentage": 0}, 0),
        ({"cpu-throttle-percentage": 1}, 1),
        ({"cpu-throttle-percentage": 20, "vfio": {"transferred": 9}}, 2),
    ],
)
def test_what_bears_on_the_downtime_and_is_in_no_figure_is_told(beside, notes):
    words = ("a VFIO device is migrated as well: no figure here has what is left of it", "auto-converge stops the")
    answer = {"status": "active", "expected-downtime": 300, **beside, "ram": {"remaining": 4096, "mbps": 8.0}}
    told = parse(json.dumps({"return": answer}).encode()).notes
    assert len([note for note in told if note.startswith(words)]) == notes


@pytest.mark.parametrize("none", ["NaN", "nan", "-nan", "Infinity", "-Infinity", "inf", "-inf", "null"])
def test_what_is_no_number_is_nothing(none):
    assert parsed(f'{{"a": {none}, "b": [{none}, 1]}}') == {"a": None, "b": [None, 1]}


@pytest.mark.parametrize("cut", [42, 60, 80])
def test_a_line_without_a_time_that_is_broken_once_is_one(cut):
    line = "migration status: active (transferred 133567908, remaining 930062336), total 1082789888)"
    assert readings(f"{line[:cut]}\n{line[cut:]}\n".encode()) == readings(f"{line}\n".encode()) != []


def test_why_qemu_would_not_migrate_a_guest_is_told():
    answer = {"return": {"blocked": True, "blocked-reasons": ["a device", "a disk"]}}
    assert remarks(json.dumps(answer).encode()) == ["QEMU says that this guest cannot be migrated: a device; a disk"]


@pytest.mark.parametrize("behind", ['{"return": {"status"', "[1", '{"return": {}} {"a'])
def test_what_is_cut_off_behind_an_answer_on_its_line_takes_nothing_from_it(behind):
    answer = json.dumps({"return": {"status": "active", "ram": {"remaining": 5}}})
    assert len(readings(f"{answer} {behind}\n".encode())) == 1


@pytest.mark.parametrize(
    ("ram", "times", "mbps"),
    [
        ({"transferred": 1_250_000}, {"total-time": 1000}, 10),
        ({"transferred": 1_250_000, "mbps": 3}, {"total-time": 1000}, 3),
        ({"transferred": 1_250_000}, {"total-time": 1}, 10_000),
        *(({"transferred": 1_250_000}, {"total-time": ms}, 0) for ms in (0, -1, "1000", None)),
        ({"transferred": "1250000"}, {"total-time": 1000}, 0),
        ({}, {"total-time": 1000}, 0),
    ],
)
def test_without_a_throughput_the_mean_one_is_taken(ram, times, mbps):
    whole = filled(Reading({"status": "active", "ram": {"remaining": 1, **ram}, **times}))
    assert whole.reading.answer["ram"]["mbps"] == mbps
    assert ("ram.mbps" in whole.reading.estimated) is (mbps > 3)
    assert ("ram.mbps" in whole.lacks) is (mbps == 0)


@pytest.mark.parametrize(
    ("ram", "page", "how"),
    [
        ({"page-size": 16384}, 16384, None),
        ({"normal": 100, "normal-bytes": 409_600}, 4096, "derived"),
        ({"normal": 100, "normal-bytes": 6_553_600}, 65_536, "derived"),
        ({"normal": 1000, "normal-bytes": 4_100_000}, 4096, "derived"),
        ({"normal": 1000, "normal-bytes": 4_140_000}, 4096, "estimated"),
        ({"normal": 250, "normal-bytes": 1_025_000}, 4096, "estimated"),
        ({"normal": 0, "normal-bytes": 0}, 4096, "estimated"),
        ({"page-size": 0}, 4096, "estimated"),
    ],
)
def test_the_page_size_is_told_by_the_bytes_of_normal_pages(ram, page, how):
    whole = filled(Reading({"status": "active", "ram": {"remaining": 1, **ram}})).reading
    assert whole.answer["ram"]["page-size"] == page
    assert ("ram.page-size" in whole.derived, "ram.page-size" in whole.estimated) == (
        how == "derived",
        how == "estimated",
    )


@pytest.mark.parametrize(
    ("answer", "status", "how"),
    [
        ({"expected-downtime": 3}, "active", "derived"),
        ({"expected-downtime": 3, "downtime": 4}, "active", "derived"),
        ({"downtime": 4}, "completed", "estimated"),
        ({}, "active", "estimated"),
        ({"status": "failed"}, "failed", None),
    ],
)
def test_a_status_is_told_by_which_downtime_is_shown(answer, status, how):
    whole = filled(Reading(answer)).reading
    assert whole.answer["status"] == status
    assert ("status" in whole.derived, "status" in whole.estimated) == (how == "derived", how == "estimated")


def test_without_what_is_left_nothing_is_known_of_ram_and_of_the_rest_it_is_said_what_is_lacking():
    whole = filled(Reading({"status": "active", "ram": {"normal": 5}}))
    assert whole.reading.answer["ram"] is None and "ram.remaining" in whole.lacks
    whole = filled(Reading({"status": "active", "ram": {"remaining": 5, "mbps": 8}}))
    assert whole.reading.answer["ram"]["normal"] == 0 and "ram.normal" in whole.lacks and "ram.mbps" not in whole.lacks
    parts = {"xbzrle-cache": {"pages": 3, "encoding-rate": 1}, "compression": {"pages": 3}}
    assert filled(Reading({"status": "active", **parts})).reading.answer == {
        "status": "active",
        "compression": {"pages": 3},
    }


@pytest.mark.parametrize("text", ["Zeile: ü €\n", "abcd", "ab", ""])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
    ],
)
def test_a_text_is_the_same_in_each_encoding_however_it_comes(mark, encoding, text):
    """Of up to three bytes it is not told which it is."""
    data = mark + text.encode(encoding)
    for size in (1, 2, 3, 4, 5, 100):
        utf8 = Utf8()
        pieces = [utf8.feed(data[begin : begin + size]) for begin in range(0, len(data), size)]
        assert b"".join([*pieces, utf8.end()]) == (text.encode() if len(data) > 3 else data)


def test_half_a_character_at_the_end_is_shown_as_one_that_is_not_known():
    utf8 = Utf8()
    assert utf8.feed("abc".encode("utf-16") + b"d") + utf8.end() == "abc\ufffd".encode()


@pytest.mark.parametrize("head", ["", "2024-05-12 11:57:06 "])
def test_a_figure_that_virsh_has_not_yet_ends_no_job_and_a_limit_below_one_counts(head):
    job = (RECORDINGS / "domjobinfo-9.0.txt").read_text()
    later = job.replace("Memory remaining", "A later figure: 7\nMemory remaining")
    text = "".join(f"{head}{line}\n" for line in f"{later}downtime-limit: 317 milliseconds\n".splitlines())
    trace = parse(text.encode())
    assert trace.samples[0].ram == parse(job.encode()).samples[0].ram
    assert trace.downtime_limit_ms == 317
