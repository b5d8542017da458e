# SPDX-License-Identifier: GPL-2.0-or-later
"""Times of logs that write no year or no date: they go on at new year and at midnight."""

from datetime import date

import pytest

from avocado_migdowntime.forms.stamps import Calendar, parted, stamp_of, stamp_within


def seconds(*texts):
    """From the first line to each of these, as its reader sees them."""
    calendar = Calendar()
    stamps = [calendar.dated(parted(text)[0]) for text in texts]
    return [stamp.t_s - stamps[0].t_s for stamp in stamps]


@pytest.mark.parametrize(
    ("texts", "since_s"),
    [
        (("Dec 31 23:59:58 a", "Jan  1 00:00:03 b", "Jan  2 00:00:03 c"), [0, 5, 86405]),
        (("Feb 28 23:59:58 a", "Mar  1 00:00:03 b", "Mar  1 00:00:04 c"), [0, 5, 6]),
        (("Feb 28 23:59:58 a", "Feb 29 00:00:03 b", "Mar  1 00:00:04 c"), [0, 5, 86406]),
        (("23:59:58 a", "00:00:03 b", "00:00:04 c"), [0, 5, 6]),
        (("2025-12-31 23:59:58 a", "2026-01-01 00:00:03 b"), [0, 5]),
        (("2025-12-31T23:59:58Z a", "2026-01-01T01:00:03+01:00 b"), [0, 5]),
        (("Nov 24 12:26:58 a", "Nov 24 12:26:57 a line that came late"), [0, -1]),
        (("12:00:00 a", "00:00:00 half a day before"), [0, -43_200]),
        (("12:00:01 a", "00:00:00 more than that before"), [0, 43_199]),
        (("Feb 28 23:59:58 a", "00:00:03 b", "Mar  1 00:00:03 c"), [0, 5 - 789 * 86_400, 86_405]),
    ],
)
def test_times_go_on(texts, since_s):
    assert seconds(*texts) == since_s


def test_two_years_pass():
    assert seconds("Dec 31 23:00:00 a", "Jan  1 00:00:00 b", "Dec 31 23:00:00 c", "Jan  1 00:00:00 d") == [
        0,
        3600,
        366 * 86400,
        366 * 86400 + 3600,
    ]


def test_how_exact_a_time_is_shows_in_its_digits():
    ticks = [parted(text)[0].tick_s for text in ("May 12 11:57:06 a", "11:57:06.546 b", "2024-05-12 11:57:06,123456 c")]
    assert ticks == pytest.approx([1, 1e-3, 1e-6])


@pytest.mark.parametrize("year", [1970, 1972, 1999, 2000, 2024, 2100, 2101])
def test_days_are_counted_as_the_calendar_does(year):
    for month, day in ((1, 1), (2, 28), (3, 1), (4, 30), (7, 31), (12, 31)):
        days = (date(year, month, day) - date(1970, 1, 1)).days
        assert stamp_of(f"{year}-{month:02}-{day:02} 00:00:00 a").t_s == days * 86_400


@pytest.mark.parametrize(
    ("text", "t_s", "said"),
    [
        ("1970-01-02 03:04:05.5 said", 86_400 + 3 * 3600 + 4 * 60 + 5.5, "said"),
        ("1970/01/02 00:00:00+05:30 said", 86_400 - 5 * 3600 - 30 * 60, "said"),
        ("1970-01-02T00:00:00-0230 said", 86_400 + 2 * 3600 + 30 * 60, "said"),
        ("[1970-01-02 23:59:60] said", 2 * 86_400, "said"),
        ("[ 12.345678] said", None, "[ 12.345678] said"),
        ("[12.345678] said", 12.345678, "said"),
        ("1715515026.546: debug : virThread:12 : said", 1715515026.546, "debug : virThread:12 : said"),
        ("1972-01-01 00:00:00 4242: info : qemuMonitorIOWrite:437 : said", 730 * 86_400, "said"),
        ("Jan 01 00:00:00 host libvirtd[4242]: said", 730 * 86_400, "said"),
        ("1972-01-01 00:00:00,000 root L0042 DEBUG| said", 730 * 86_400, "said"),
        ("1972-01-01 00:00:00,000 vdsm WARNING: said", 730 * 86_400, "said"),
        ("Mär 01 00:00:00 host libvirtd[4242]: said", 790 * 86_400, "said"),
        ("juil. 01 00:00:00 said", 912 * 86_400, "said"),
        ("окт 01 00:00:00 said", 1004 * 86_400, "said"),
        ("10月 01 00:00:00 said", 1004 * 86_400, "said"),
        ("13月 01 00:00:00 said", None, "13月 01 00:00:00 said"),
        ("Fri Jan  2 00:00:01 1970 * said", 86_401, "* said"),
        ("Sat Foo  2 00:00:01 1970 said", None, "Sat Foo  2 00:00:01 1970 said"),
        ("31.01.1970 00:00:01 said", 1, "31.01.1970 00:00:01 said"),
        ("1/31/1970, 12:00:01 AM said", 1, "1/31/1970, 12:00:01 AM said"),
        ("1/31/1970 1:00:01 PM said", 13 * 3600 + 1, "1/31/1970 1:00:01 PM said"),
        ("Foo 01 00:00:00 said", None, "Foo 01 00:00:00 said"),
        ("libvirtd[4242]: said", None, "said"),
        ("said", None, "said"),
        ("", None, ""),
    ],
)
def test_a_line_begins_with_its_time_and_who_logged_it(text, t_s, said):
    stamp, rest = parted(text)
    assert (stamp and stamp.t_s, rest) == (t_s, said)


def test_a_time_within_a_line_is_the_first_date_with_one():
    assert stamp_within("node-1 1970-01-02 00:00:01 and 1970-01-03 00:00:00").t_s == 86_401
    assert stamp_within("node-1 Jan  2 00:00:01 a").t_s == 731 * 86_400 + 1
    assert stamp_within("node-1 00:00:01 a") is stamp_within("") is None


@pytest.mark.parametrize(
    ("text", "period_s"),
    [
        ("1970-01-02 03:04:05 a", 0),
        ("[1970-01-02 03:04:05] a", 0),
        ("Jan  2 03:04:05 a", 366 * 86_400),
        ("oct. 2 03:04:05 a", 366 * 86_400),
        ("Fri Jan  2 03:04:05 1970 a", 0),
        ("31.01.1970 03:04:05 a", 86_400),
        ("03:04:05 a", 86_400),
    ],
)
def test_a_time_without_a_year_or_a_date_comes_again(text, period_s):
    assert stamp_of(text).period_s == period_s
