# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures of KubeVirt's log on either side of what tells its unit and its page size."""

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.trace.reading import Remark

from ..support.log_readings import of, readings

MULTIPLIED = "this KubeVirt logs Mbps that are 64 times too little; they are multiplied"


def job(figures, uid="a"):
    """A line of the log with these figures, none of which is cut off."""
    shown = {"TimeElapsed": "8000ms", "MemoryRemaining": "4096B", **figures, "DiskMbps": "0"}
    return f"Migration info for {uid}: {' '.join(f'{name}:{value}' for name, value in shown.items())}\n".encode()


@pytest.mark.parametrize(
    ("sent_bytes", "mbps"),
    [
        # In 8 s, with some 7.5 Mb/s shown: 7.5 MB are as much as that says.
        (7_500_000, Interval(7, 8)),
        (60_000_000, Interval(7, 8)),
        (60_750_000, None),
        (119_000_000, None),
        (120_000_000, Interval(448, 512)),
        (1_920_000_000, Interval(448, 512)),
        (1_927_500_000, None),
    ],
)
def test_whether_mbps_are_right_is_told_by_what_was_sent_since_the_first_line(sent_bytes, mbps):
    shown = {"MemoryBandwidth": "7Mbps", "DirtyRate": "3Mbps"}
    much = 1_000_000_000  # In 1 s: more than fits either.
    first = job({"TimeElapsed": "1000ms", "MemoryProcessed": f"{much}B", **shown})
    line = job({"TimeElapsed": "9000ms", "MemoryProcessed": f"{much + sent_bytes}B", **shown})
    before, told = readings(first + line)
    assert "ram.mbps" not in before.rounding
    assert told.rounding.get("ram.mbps") == mbps
    pages = mbps and Interval(3e6 / 8 / 4096 * mbps.low / 7, 4e6 / 8 / 4096 * mbps.high / 8)
    dirty = told.rounding.get("ram.dirty-pages-rate")
    assert (dirty and (dirty.low, dirty.high)) == (pages and pytest.approx((pages.low, pages.high)))
    assert [remark.text for remark in of(Remark, first + line)] == ([MULTIPLIED] if mbps and mbps.low > 7 else [])


@pytest.mark.parametrize(("sent_bytes", "is_right"), [(0, False), (60_000_000, True), (60_750_000, False)])
def test_that_they_are_right_may_be_told_by_the_first_line_and_no_more(sent_bytes, is_right):
    line = job({"MemoryProcessed": f"{sent_bytes}B", "MemoryBandwidth": "7Mbps"})
    (told,) = readings(line)
    assert told.rounding.get("ram.mbps") == (Interval(7, 8) if is_right else None)


@pytest.mark.parametrize(("passed_ms", "is_known"), [(999, False), (1000, True)])
def test_over_less_than_a_second_what_was_sent_is_no_bandwidth(passed_ms, is_known):
    first = job({"MemoryProcessed": "1000000000B", "MemoryBandwidth": "7Mbps"})
    later = {"TimeElapsed": f"{8000 + passed_ms}ms", "MemoryProcessed": "1060000000B", "MemoryBandwidth": "7Mbps"}
    _, told = readings(first + job(later))
    assert ("ram.mbps" in told.rounding) == is_known


@pytest.mark.parametrize("lacking", [{"TimeElapsed": "0ms"}, {"MemoryBandwidth": "0Mbps"}, {"MemoryProcessed": "7KiB"}])
def test_it_is_not_known_where_a_figure_is_lacking_and_is_known_from_then_on(lacking):
    known = {"MemoryProcessed": "120000000B", "MemoryBandwidth": "7Mbps"}
    twice = {"TimeElapsed": "16000ms", "MemoryProcessed": "240000000B", "MemoryBandwidth": "7Mbps"}
    lines = [
        job({**known, **lacking}),
        job(known),
        job(twice),
        job({**known, "TimeElapsed": "17000ms"}),
        job(known, "b"),
    ]
    told = [one.rounding.get("ram.mbps") for one in readings(b"".join(lines))]
    assert told == [None, None, Interval(448, 512), Interval(448, 512), None]
    assert [one.of for one in of(Remark, b"".join(lines)) if one.text == MULTIPLIED] == ["a"]


def test_bytes_a_second_are_taken_as_they_are():
    (told,) = readings(job({"MemoryProcessed": "7B", "MemoryBandwidth": "125000B/s", "DirtyRate": "409600B/s"}))
    assert (told.answer["ram"]["mbps"], told.answer["ram"]["dirty-pages-rate"]) == (1, 100)
    (other,) = readings(job({"MemoryProcessed": "7B", "MemoryBandwidth": "125000KiB/s"}))
    assert "mbps" not in other.answer["ram"]


@pytest.mark.parametrize(
    ("data", "pages", "page_bytes", "is_derived"),
    [
        ("409600B", 100, 4096, True),
        ("6553600B", 100, 65536, True),
        ("102400B", 100, 1024, True),
        ("51200B", 100, 4096, False),
        ("13107200B", 100, 4096, False),
        ("409601B", 100, 4096, False),
        ("1MiB", 33, 32768, True),
        ("1MiB", 32, 4096, False),
        ("409600B", 0, 4096, False),
        ("409600KiB", 100, 4096, False),
    ],
)
def test_the_page_size_is_the_only_power_of_two_that_fits(data, pages, page_bytes, is_derived):
    (told,) = readings(job({"NormalPages": pages, "NormalData": data}))
    assert told.answer["ram"]["page-size"] == page_bytes
    assert ("ram.page-size" in told.derived, "ram.page-size" in told.estimated) == (is_derived, not is_derived)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"Migration info for a: TimeElapsed:8000ms MemoryRemaining:4096B Iteration:12\n", None),
        (b"Migration info for a: TimeElapsed:8000ms MemoryRemaining:4096B Iteration:12 DiskMb\n", None),
        (b"Migration info for a: TimeElapsed:8000ms MemoryRemaining:4096B Iteration:12 DiskMbps:0\n", 12),
        (b"Migration info for a: TimeElapsed:8000ms MemoryRemaining:4096B Iteration:12 DiskBps:0\n", 12),
    ],
)
def test_the_last_figure_of_a_line_that_is_cut_off_may_be_cut_off_too(line, shown):
    (told,) = readings(line)
    assert told.answer["ram"].get("dirty-sync-count") == shown
