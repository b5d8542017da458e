# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures as people write them down, and as they are read from an image: the right one, or none."""

import re

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.domjobinfo import FIGURE_NAMES
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.monitor_lines import OF_JOBS
from avocado_migdowntime.forms.monitor_names import LINES
from avocado_migdowntime.forms.rounding import broken_number, whole_number
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge
from selftests.support.documents import TOP

FORMS = TOP / "selftests" / "forms"
OLD = (FORMS / "info-migrate-2.12-below-parameters.txt").read_text()
JOB = (FORMS / "domjobinfo-below-its-prompt.txt").read_text()
POSTCOPY = (FORMS / "info-migrate-10.1-postcopy.txt").read_text()


def apart(mark, point):
    """A text with thousands set apart by `mark`, and `point` before fractions."""

    def number(match):
        whole, _, digits = match[0].partition(".")
        return f"{int(whole):,}".replace(",", mark) + (f"{point}{digits}" if digits else "")

    return lambda text: re.sub(r"(?<=: )\d+(\.\d+)?|(?<=  )\d+(\.\d+)?", number, text)


@pytest.mark.parametrize(("mark", "point"), [(",", "."), (".", ","), (" ", ","), ("'", "."), ("\u202f", ",")])
@pytest.mark.parametrize("text", [OLD, JOB])
def test_thousands_may_be_set_apart_and_a_comma_may_be_the_point(text, mark, point):
    assert [*parse(apart(mark, point)(text).encode()).samples] == [*parse(text.encode()).samples]


@pytest.mark.parametrize(
    ("shown", "whole", "broken"),
    [
        ("7", "7", "7"),
        ("1475", "1475", "1475"),
        ("1,475", "1475", "1.475"),
        ("1.475", "1475", "1.475"),
        ("18,197,383", "18197383", None),
        ("18,197.383", None, "18197.383"),
        ("1,47", None, "1.47"),
        ("1475.5", None, "1475.5"),
        ("1,4756", None, "1.4756"),
        ("0768 92", None, None),
        ("1234,567", None, "1234.567"),
    ],
)
def test_a_number_has_one_meaning_or_none(shown, whole, broken):
    assert (whole_number(shown), broken_number(shown)) == (whole, broken)


@pytest.mark.parametrize("wrong", ["1,716,00", "1716.5", "1,716,000,5"])
def test_a_count_with_a_fraction_is_no_count(wrong):
    with pytest.raises(UsageError, match=f"Normal pages is '{wrong}' where a number was expected; give what"):
        parse(JOB.replace("11142", wrong).encode())


def test_a_throughput_whose_point_was_lost_is_not_used():
    trace = parse(OLD.replace("866.83", "86683").encode())
    assert judge(trace).report.code == "below-what-is-left"
    assert judge(trace).left_now_ms == pytest.approx(2710.6, abs=0.1)
    said = (
        "a throughput of 86683 mbps is shown without the two digits behind the point that QEMU prints, and is not used"
    )
    assert said in judge(trace).reasons and said in advise(trace).reasons


def test_a_throughput_that_somebody_rounded_is_used():
    assert judge(parse(OLD.replace("866.83", "867").encode())).formula == "dirty-rate"


@pytest.mark.parametrize("digit", ["O", "l", "I", "Z", "S", " "])
@pytest.mark.parametrize("name", ["expected downtime", "remaining ram", "total time", "throughput"])
def test_a_digit_that_was_read_as_a_letter_makes_no_other_figure(name, digit):
    text = re.sub(rf"({name}: \d)\d", rf"\g<1>{digit}", OLD)
    (misread,) = parse(text.encode()).samples
    (whole,) = parse(OLD.encode()).samples
    assert misread.expected_downtime_ms in (whole.expected_downtime_ms, None)
    assert misread.ram is None or misread.ram.remaining_bytes == whole.ram.remaining_bytes
    assert judge(parse(text.encode())).left_now_ms in (
        None,
        pytest.approx(3561.8, abs=0.1),
        pytest.approx(2710.6, abs=1),
    )


@pytest.mark.parametrize("without", ["Status: .*\n", "Status: .*\nTime .*\n", "Status: .*\nTime .*\n|Others: .*\n"])
def test_what_is_sent_by_postcopy_is_postcopy_whatever_was_cut_off(without):
    trace = parse(re.sub(without, "", POSTCOPY).encode())
    assert judge(trace).report.code == "postcopy" and advise(trace).limit_ms is None


def test_ram_that_is_left_though_a_downtime_is_known_is_sent_by_postcopy():
    text = OLD.replace("Migration status: active\n", "").replace("expected downtime", "downtime")
    assert judge(parse(text.encode())).report.code == "postcopy"
    ended = text.replace("remaining ram: 376892", "remaining ram: 0")
    assert judge(parse(ended.encode())).report.code == "ended"


@pytest.mark.parametrize(
    ("was", "written"),
    [
        ("376892 kbytes", "376892 KB"),
        ("376892 kbytes", "376892 KiB"),
        ("376892 kbytes", "385937408 bytes"),
        ("866.83 mbps", "866.83 Mbps"),
        ("866.83 mbps", "866.83 Mbit/s"),
        ("1475 milliseconds", "1475 ms"),
        ("1475 milliseconds", "1.475 s"),
        ("130874 milliseconds", "130.874 s"),
        ("39044 pages", "39044 pages/s"),
        ("remaining ram", "Remaining RAM"),
        ("expected downtime", "Expected downtime"),
        ("page size", "Page size"),
        ("Migration status", "Migration Status"),
    ],
)
def test_a_figure_may_be_written_down_otherwise(was, written):
    (whole,), (other,) = (parse(text.encode()).samples for text in (OLD, OLD.replace(was, written)))
    assert other.ram.remaining_bytes == pytest.approx(whole.ram.remaining_bytes, abs=1024)
    assert other.ram.mbps == whole.ram.mbps and other.ram.dirty_pages_per_s == whole.ram.dirty_pages_per_s
    assert (other.t_s, other.status, other.expected_downtime_ms) == (130.874, "active", 1475)
    assert judge(parse(OLD.replace(was, written).encode())).formula == "dirty-rate"


@pytest.mark.parametrize(
    ("written", "least", "most"),
    [
        ("368.1 MiB", 368.05 * 2**20, 368.15 * 2**20),
        ("368 MiB", 367.5 * 2**20, 368.5 * 2**20),
        ("386 MB", 385.5e6, 386.5 * 2**20),
        ("0.36 GiB", 0.355 * 2**30, 0.365 * 2**30),
    ],
)
def test_what_is_written_down_rounded_is_known_as_far_as_that(written, least, most):
    reading = parse(OLD.replace("376892 kbytes", written).encode()).readings[-1]
    shown = reading.rounding["ram.remaining"]
    assert (shown.low, shown.high) == (pytest.approx(least), pytest.approx(most))
    assert shown.low <= reading.answer["ram"]["remaining"] <= shown.high


@pytest.mark.parametrize("written", ["866.83 MB/s", "866.83", "866.83 m", "866.83 kbps"])
def test_a_throughput_in_a_unit_that_may_be_another_one_is_not_read(written):
    assert "mbps is not shown" in " ".join(parse(OLD.replace("866.83 mbps", written).encode()).notes)


def test_a_report_in_seconds_is_none_to_the_millisecond():
    (sample,) = parse(OLD.replace("1475 milliseconds", "1.5 s").encode()).samples
    assert sample.expected_downtime_ms is None


def test_names_that_are_libvirt_s_as_well_are_known():
    assert {name.lower() for name in FIGURE_NAMES} & set(LINES) == OF_JOBS


def test_a_job_keeps_its_report_below_a_text_of_the_monitor_s():
    later = JOB.replace("2540 ", "9999 ")
    shown = "(qemu) info migrate\nMigration status: active\ntotal time: 2540 ms\nremaining ram: 37852 kbytes\n"
    trace = parse(f"{shown}{later}".encode())
    assert [one.expected_downtime_ms for one in trace.samples] == [None, 1999]


def test_what_cannot_be_a_number_in_another_unit_is_said_so():
    said = "Memory remaining is '36.965 MB' where a number was expected; give what virsh prints as it is"
    with pytest.raises(UsageError, match=said):
        parse(JOB.replace("Memory remaining: 36.965 MiB", "Memory remaining: 36.965 MB").encode())
