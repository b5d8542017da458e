# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures as logs and virsh print them: what they may have been, and what is filled in that is not shown."""

import json

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.forms.encoding import Utf8
from avocado_migdowntime.forms.figures import cut_off, reading, scaled, size_of
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.objects import parsed
from avocado_migdowntime.forms.remaining import left_in_words, left_ms, limit_in_words, past_first_pass
from avocado_migdowntime.trace.reading import Reading

from ..support.log_readings import readings, remarks


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
