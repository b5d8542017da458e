# SPDX-License-Identifier: GPL-2.0-or-later
"""What the output of `info migrate` comes to, in each layout that QEMU has had, and what is said where figures lack."""

import re

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.trace.ram import Ram

from ..support.documents import TOP
from ..support.log_readings import readings
from ..support.recorded import RECORDINGS, SNAPSHOT

KNOWN = {
    "power8": (
        130.874,
        1475.0,
        Ram((376_892 << 10) + 511, 4096, 6_215_060, 1_678_265, 6, 39_044, 866.83, None, 18_197_383 << 10),
    ),
    "7.2": (3.602, 2086.0, Ram((7404 << 10) + 511, 4096, 69_831, 59_380, 2, 2894, 96.53, None, 43_424_768)),
    "11.1": (3.602, 1955.0, Ram(int(3.63 * (1 << 20)), 4096, 70_752, 59_380, 2, 3161, 103.0, None, 45 << 20)),
}


def text_of(release):
    return (RECORDINGS / f"info-migrate-{release}.txt").read_text()


def read(text):
    """The trace of one sample that a text makes."""
    trace = parse(text.encode())
    assert trace.snapshot and len(trace.samples) == 1 and not trace.events
    return trace


@pytest.mark.parametrize("release", KNOWN)
def test_each_figure_is_read(release):
    t_s, expected_ms, ram = KNOWN[release]
    trace = read(text_of(release))
    sample = trace.samples[0]
    assert (sample.t_s, sample.status, sample.expected_downtime_ms, sample.ram) == (t_s, "active", expected_ms, ram)
    assert trace.lacks == () and not trace.readings[0].derived and not trace.readings[0].estimated


@pytest.mark.parametrize(
    ("size", "interval"),
    [
        ("7 B", (7, 7)),
        ("4 KiB", (3.995 * 1024, 4.005 * 1024)),
        ("1.5 MiB", (1.495 * (1 << 20), 1.505 * (1 << 20))),
        ("999 MiB", (998.5 * (1 << 20), 999.5 * (1 << 20))),
        ("1e+03 MiB", (995 * (1 << 20), 1005 * (1 << 20))),
        ("3 GiB", (2.995 * (1 << 30), 3.005 * (1 << 30))),
        ("16 GiB", (15.95 * (1 << 30), 16.05 * (1 << 30))),
        ("2.25 TiB", (2.245 * (1 << 40), 2.255 * (1 << 40))),
    ],
)
def test_sizes_of_three_digits_may_be_what_is_rounded_to_them(size, interval):
    text = text_of("11.1").replace("3.63 MiB", size).replace("total=256 MiB", "total=4 TiB")
    shown = read(text).readings[0].rounding["ram.remaining"]
    assert (shown.low, shown.high) == pytest.approx(interval, rel=1e-12)


def test_kbytes_are_cut_off_and_mbps_have_two_digits():
    rounding = read(text_of("power8")).readings[0].rounding
    assert rounding["ram.remaining"] == Interval(376_892 * 1024, 376_892 * 1024 + 1023)
    assert (rounding["ram.mbps"].low, rounding["ram.mbps"].high) == pytest.approx((866.825, 866.835), rel=1e-12)


@pytest.mark.parametrize(
    ("line", "lacking"),
    [
        ("expected downtime: 1475 milliseconds\n", ()),
        ("dirty sync count: 6\n", ("ram.dirty-sync-count",)),
        ("dirty pages rate: 39044 pages\n", ("ram.dirty-pages-rate",)),
        ("duplicate: 1678265 pages\n", ("ram.duplicate",)),
    ],
)
def test_what_is_lacking_is_named(line, lacking):
    assert read(SNAPSHOT.read_text().replace(line, "")).lacks == lacking


def test_a_dirty_rate_of_0_is_not_printed_and_so_is_one_where_all_around_it_is_shown():
    text = re.sub("dirty pages rate: .*\n", "", (TOP / "selftests/forms/info-migrate-7.2-throttled.txt").read_text())
    whole, filtered = read(text), read(re.sub("pages-per-second: .*\n", "", text))
    assert (whole.samples[0].ram.dirty_pages_per_s, whole.lacks) == (0, ())
    assert filtered.lacks == ("ram.dirty-pages-rate",)


@pytest.mark.parametrize("page_bytes", [1024, 2048, 4096, 8192, 16384, 65536])
def test_the_page_size_is_that_of_the_normal_pages(page_bytes):
    size = 4_536_795 * page_bytes >> 10
    text = SNAPSHOT.read_text().replace("page size: 4 kbytes\n", "").replace("18147180", str(size))
    trace = read(text)
    assert trace.samples[0].ram.page_bytes == page_bytes
    assert trace.readings[0].derived == {"ram.page-size": "it is normal bytes ÷ normal pages"}
    assert trace.notes == ("page-size is not shown; it is normal bytes ÷ normal pages",)


def test_without_normal_pages_the_page_size_is_only_about_right():
    text = SNAPSHOT.read_text().replace("page size: 4 kbytes\n", "").replace("normal bytes: 18147180 kbytes\n", "")
    trace = read(text)
    assert trace.samples[0].ram.page_bytes == 4096 and list(trace.readings[0].estimated) == ["ram.page-size"]


def test_without_a_throughput_the_mean_one_is_said_to_be_that():
    trace = read(SNAPSHOT.read_text().replace("throughput: 866.83 mbps\n", ""))
    assert trace.samples[0].ram.mbps == pytest.approx(18_197_383 * 1024 / 130_874 / 125)
    assert list(trace.readings[0].estimated) == ["ram.mbps"] and "the mean since the migration began" in trace.notes[0]


def test_an_expected_downtime_of_0_is_one():
    assert read(SNAPSHOT.read_text().replace("1475", "0")).samples[0].expected_downtime_ms == 0


def test_a_text_that_lacks_what_is_needed_is_refused_with_what_to_take():
    with pytest.raises(UsageError) as caught:
        parse(b"Migration status: active\ntotal time: 12 ms\n")
    assert str(caught.value) == (
        "this is the output of `info migrate`: the status is active, and no remaining RAM is shown; "
        "take `info migrate` in the same monitor, repeatedly, on the source host while the status is active"
    )


def test_an_ended_migration_needs_no_figures():
    trace = read("Migration status: completed\ndowntime: 12 ms\n")
    assert (trace.samples[0].status, trace.samples[0].downtime_ms, trace.samples[0].ram) == ("completed", 12, None)


@pytest.mark.parametrize(
    "text",
    [
        "Migration status: it is active",
        "globals:\n Status:\n",
        "its Status: active",
        "setup: 5",
        "downtime: long",
        "x",
    ],
)
def test_words_that_only_look_like_it_are_no_text_of_it(text):
    with pytest.raises(UsageError, match="matches no known text"):
        parse(text.encode())


def test_a_status_is_read_with_what_is_said_of_it():
    trace = read("Migration status: failed (Unable to write to socket: Broken pipe)\ntotal time: 0 ms\n")
    assert trace.samples[0].status == "failed"


def test_bytes_of_which_the_last_ones_count_are_not_taken_rounded():
    whole = parse(
        b'{"return": {"status": "active", "total-time": 7, "ram": {"remaining": 4096, "mbps": 1, "normal": 1, '
        b'"duplicate": 0, "page-size": 4096, "dirty-sync-count": 2, "precopy-bytes": 43424768}}}'
    )
    assert whole.samples[0].ram.counted_bytes == 43_424_768
    rounded = read(text_of("7.2"))
    assert rounded.samples[0].ram.counted_bytes is None
    assert rounded.readings[0].answer["ram"]["precopy-bytes"] == 43_424_768


@pytest.mark.parametrize("head", ["", "[qemu-1] "])
def test_how_much_auto_converge_slows_the_guest_is_read_of_11_1_too(head):
    text = f"{text_of('11.1')}{head}CPU Throttle (%): \t20\n"
    assert read(text).samples[0].throttle_percent == 20


@pytest.mark.parametrize(("strange", "many"), [(2, 1), (3, 2)])
def test_a_text_ends_where_some_lines_of_something_else_follow(strange, many):
    text = text_of("7.2")
    begin = text.index("dirty sync count")
    whole = text[:begin] + "something else\n" * strange + "\n" + "downtime: 7 ms\n"
    assert len(readings(whole.encode())) == many


def test_a_text_ends_where_another_is_asked_for_or_a_figure_comes_again():
    first, second = "Migration status: active\ndowntime: 7 ms\n", "remaining ram: 4 kbytes\nexpected downtime: 8 ms\n"
    shown = [list(one.answer) for one in readings(f"{first}(qemu) info migrate\n{second}".encode())]
    assert shown == [["status", "downtime"], ["ram", "expected-downtime"]]
    again = readings(f"{first}{first.replace('7', '9')}".encode())
    assert [one.answer["downtime"] for one in again] == [7, 9]
