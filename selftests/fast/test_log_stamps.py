# SPDX-License-Identifier: GPL-2.0-or-later
"""Times of logs that write no year or no date: they go on at new year and at midnight."""

import pytest

from avocado_migdowntime.forms.stamps import Calendar, parted


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
