# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that show only a time, as `date` in a user's own loop prints them: the time of the figures below them."""

from datetime import UTC, datetime

import pytest

from avocado_migdowntime.forms.dates import date_line
from avocado_migdowntime.forms.file import parse

from ..support.documents import TOP

MIDNIGHT_22 = datetime(2026, 11, 30, 0, 22, 35, tzinfo=UTC).timestamp()
OF_DAY = 22 * 60 + 35
LINES = (
    *("Mon Nov 30 00:22:35 UTC 2026", "Mon 30 Nov 2026 12:22:35 AM UTC", "Mon Nov 30 12:22:35 AM UTC 2026"),
    *("Mon 30 Nov 00:22:35 UTC 2026", "Mo 30. Nov 00:22:35 CET 2026", "lun. 30 nov. 2026 00:22:35 CET"),
    *("Mo 30. Nov 01:22:35 CEST 2026", "lundi 30 novembre 2026, 01:22:35 (UTC+0100)", "lun 30 nov 2026, 00:22:35, CET"),
    *("dom 29 nov 2026 21:22:35 -03", "Пн 30 ноя 2026 00:22:35 MSK", "2026年 11月 30日 星期一 00:22:35 CST"),
    *("2026年11月30日 月曜日 00:22:35 JST", "2026. 11. 30. (월) 00:22:35 KST", "2026-11-30T01:22:35+01:00"),
    *("Mon, 30 Nov 2026 00:22:35 +0000", "2026-11-30 00:22:35", "2026-11-30 00:22:35+00:00", "[2026-11-30 00:22:35]"),
    *("Mon Nov 30 00:22:35 2026", "=== Mon Nov 30 00:22:35 UTC 2026 ===", "date: Mon Nov 30 00:22:35 UTC 2026"),
    "Every 2.0s: virsh domjobinfo vm1                      host1: Mon Nov 30 00:22:35 2026",
    f"{MIDNIGHT_22:.0f}",
)
CLOCKS = (
    *("00:22:35", "12:22:35 AM", "--- 00:22:35 ---", "30.11.2026 00:22:35", "11/30/26 00:22:35"),
    "00:22:35 up 6:20,  0 user,  load average: 0.34, 1.41, 2.78",
)
OTHERS = (
    *("", "total time: 00:22:35", "Elapsed: 00:22:35", "52:54:00", "52:54:00:12:34:56", "Mon Nov 32 00:22:35 UTC 2026"),
    "Mon Nov 0 00:22:35 UTC 2026",
    *("Foo 30 Xyz 2026 00:22:35", "24:22:35", "99999999999", "00:22:35 vm1", "2026-11-30 00:22:35 INFO said"),
)


@pytest.mark.parametrize("line", LINES)
def test_a_date_and_a_time_on_a_line_of_their_own(line):
    stamp = date_line(line)
    assert (stamp.t_s, stamp.tick_s, stamp.period_s, stamp.is_above) == (MIDNIGHT_22, 2, 0, True)


@pytest.mark.parametrize("line", CLOCKS)
def test_a_clock_on_a_line_of_its_own_comes_again_each_day(line):
    stamp = date_line(line)
    assert (stamp.t_s, stamp.period_s) == (OF_DAY, 86_400)
    assert date_line(line.replace("00:22", "23:22").replace("12:22:35 A", "11:22:35 P")).t_s == OF_DAY + 23 * 3600


@pytest.mark.parametrize(
    ("line", "part_s", "tick_s"), [("1796000000.25000000", None, None), ("1796000000123", 0.123, 1e-3)]
)
def test_parts_of_a_second(line, part_s, tick_s):
    stamp = date_line(line)
    assert (stamp is None) == (part_s is None)
    if stamp is not None:
        assert (stamp.t_s - 1796000000, stamp.tick_s) == pytest.approx((part_s, 1 + tick_s))
    assert (date_line("00:22:35.25").t_s, date_line("00:22:35.25").tick_s) == pytest.approx((OF_DAY + 0.25, 1.01))


def test_a_month_has_a_first_and_a_last_day():
    days = [date_line(f"{day} 00:22:35 UTC 2026").t_s for day in ("Sun Nov 1", "Mon Nov 30", "Thu Dec 31")]
    assert days == [MIDNIGHT_22 - 29 * 86_400, MIDNIGHT_22, MIDNIGHT_22 + 31 * 86_400]


@pytest.mark.parametrize("line", OTHERS)
def test_any_other_line_is_no_time_alone(line):
    assert date_line(line) is None


def test_a_month_without_a_year_goes_on_at_new_year():
    assert date_line("Nov 30 00:22:35").period_s == 366 * 86_400


def look(number, total_ms=None):
    """One output of `info migrate`; only with `total_ms` does it show a time of its own."""
    sent, left = 42_407 + 61_000 * number, 7404 + 20_000 * (3 - number)
    times = [] if total_ms is None else [f"total time: {total_ms} ms"]
    figures = [f"transferred ram: {sent} kbytes", "throughput: 96.53 mbps", f"remaining ram: {left} kbytes"]
    pages = [f"normal: {sent // 4} pages", "duplicate: 59380 pages", "dirty sync count: 2", "page size: 4 kbytes"]
    rate = ["dirty pages rate: 2894 pages"]
    return ["Migration status: active", *times, "expected downtime: 2086 ms", *figures, *pages, *rate]


def trace(*parts):
    return parse("\n".join(line for part in parts for line in ([part] if isinstance(part, str) else part)).encode())


def loop(times, totals_ms=(None, None, None)):
    return [part for number, at in enumerate(times) for part in (at, look(number, totals_ms[number]))]


DATES = [f"Mon Nov 30 00:{minute:02}:{second:02} UTC 2026" for minute, second in ((22, 35), (22, 40), (23, 45))]


def test_what_date_prints_is_the_clock_of_figures_without_a_time():
    read = trace(*loop(DATES))
    assert read.samples.t_s.tolist() == [0, 5, 70] and not read.snapshot
    past_midnight = trace(*loop(["23:59:58", "00:00:03", "00:00:08"]))
    assert past_midnight.samples.t_s.tolist() == [0, 5, 10]
    by_watch = [f"Every 5.0s: virsh qemu-monitor-command vm1          h: {date.replace(' UTC', '')}" for date in DATES]
    assert trace(*loop(by_watch)).samples.t_s.tolist() == [0, 5, 70]


def test_the_end_of_summer_time_is_no_hour():
    dates = [
        f"Sun Oct 25 0{hour}:{minute}:00 {zone} 2026" for hour, minute, zone in ((2, 59, "CEST"), (2, "01", "CET"))
    ]
    assert trace(*loop([*dates, "Sun Oct 25 02:02:00 CET 2026"])).samples.t_s.tolist() == [0, 120, 180]


def test_total_time_is_the_clock_even_so():
    read = trace(*loop(DATES, (3602, 8610, 73_610)))
    assert read.samples.t_s.tolist() == [3.602, 8.61, 73.61]
    assert not any("total-time" in note for note in read.notes)


@pytest.mark.parametrize("totals_ms", [(3602, 8610, 33_610), (3602, 8610, 113_610)])
def test_a_contradiction_of_total_time_is_said(totals_ms):
    notes = [note for note in trace(*loop(DATES, totals_ms)).notes if "total-time" in note]
    passed_s = (totals_ms[2] - totals_ms[0]) / 1000
    assert len(notes) == 1 and f"{passed_s:.4g} s passed by total-time, which is used, but 70 s" in notes[0]


def test_a_time_counts_for_the_first_figures_below_it_alone():
    for parts in (
        [DATES[0], look(0), look(1)],
        [look(0), DATES[0], look(1)],
        [DATES[0], look(0), "", look(1), DATES[1], look(2)],
    ):
        read = trace(*parts)
        assert read.snapshot and "one of the texts shows no time, so only the last one is judged" in read.notes


@pytest.mark.parametrize("name", ["nova-2018", "proxmox-2014", "proxmox-2025-11", "kubevirt-2024", "vdsm-2024-aborted"])
def test_a_log_below_such_a_line_goes_by_its_own_time(name):
    text = (TOP / "selftests" / "texts" / f"{name}.txt").read_bytes()
    alone, below = parse(text), parse(f"{DATES[0]}\n".encode() + text)
    assert (below.samples, below.readings, below.notes) == (alone.samples, alone.readings, alone.notes)


def test_lines_with_a_time_of_their_own_go_by_that():
    line = '2026-11-30 00:10:0{}.000+0000: 1: info : a:1 : reply={{"return": {{"status": "active", "ram": {}}}}}'
    ram = '{{"remaining": 40960{}, "page-size": 4096, "normal": 1, "duplicate": 2, "mbps": 9.5, "dirty-sync-count": 2}}'
    read = trace(DATES[0], *(line.format(second, ram.format(9 - second)) for second in range(3)))
    assert read.samples.t_s.tolist() == pytest.approx([0, 1, 2])
