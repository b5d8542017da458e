# SPDX-License-Identifier: GPL-2.0-or-later
"""What is worked out of a figure that is not shown, and what is lacking then."""

import pytest

from avocado_migdowntime.forms.filling import filled
from avocado_migdowntime.trace.reading import Reading


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
        ({"expected-downtime": 3, "ram": {"postcopy-requests": 1}}, "postcopy-active", "derived"),
        ({"downtime": 4, "ram": {"postcopy-bytes": 1, "remaining": 5}}, "postcopy-active", "derived"),
        ({"downtime": 4, "ram": {"postcopy-bytes": 1, "remaining": 0}}, "completed", "estimated"),
        ({"downtime": 4, "ram": {"postcopy-requests": 0}}, "completed", "estimated"),
    ],
)
def test_a_status_is_told_by_which_downtime_is_shown_and_by_what_postcopy_sent(answer, status, how):
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
