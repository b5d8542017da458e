# SPDX-License-Identifier: GPL-2.0-or-later
"""What is put on record of a text is read again as it was: its figures, and how each is known."""

import json
import re

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.filling import AS_READ, NEEDED, filled, reading_of_record
from avocado_migdowntime.trace.reading import Reading, Stamp

STAMP = Stamp(3.0, 0.5, from_begin=True)
WHOLE = {"status": "active", "ram": dict.fromkeys(NEEDED, 4096)}


def again(reading):
    """What is read of the record that is made of the filled reading."""
    return reading_of_record(json.loads(json.dumps(filled(reading).recordable)), STAMP)


@pytest.mark.parametrize(
    ("known", "of"),
    [
        ({}, {}),
        ({"rounding": {"ram.remaining": Interval(4000, 4500)}}, {"rounding": {"ram.remaining": [4000, 4500]}}),
        ({"derived": {"ram.mbps": "by pages"}}, {"derived": {"ram.mbps": "by pages"}}),
        ({"estimated": {"ram.mbps": "a mean"}}, {"estimated": {"ram.mbps": "a mean"}}),
    ],
)
def test_what_is_known_of_a_figure_is_on_record_where_something_is(known, of):
    reading = Reading(WHOLE, STAMP, **known)
    assert filled(reading).recordable == ({**WHOLE, AS_READ: of} if of else WHOLE)
    assert again(reading) == reading


def test_figures_that_only_stand_in_for_what_is_lacking_are_not_read_again():
    shown = {"status": "active", "ram": {"remaining": 7, "page-size": 4096, "mbps": 8.0}}
    recorded = filled(Reading(shown)).recordable
    assert recorded["ram"]["normal"] == 0
    lacking = ("normal", "duplicate", "dirty-sync-count", "dirty-pages-rate")
    assert recorded[AS_READ] == {"lacks": [f"ram.{name}" for name in lacking]}
    assert again(Reading(shown)) == Reading(shown, STAMP)


def test_an_answer_that_qemu_gave_is_read_as_it_is():
    assert reading_of_record(WHOLE, STAMP) == Reading(WHOLE, STAMP)


@pytest.mark.parametrize(
    "known", [[], 3, {"rounding": {"ram.mbps": [1]}}, {"lacks": 3}, {"derived": 3}, {"estimated": 3}, {"rounding": 3}]
)
def test_what_no_recording_has_is_refused(known):
    words = f"{AS_READ!r} is {known!r} where what is known of a text was expected; record it again"
    with pytest.raises(UsageError, match=f"^{re.escape(words)}$"):
        reading_of_record({**WHOLE, AS_READ: known}, STAMP)


@pytest.mark.parametrize("name", ["xbzrle-cache", "compression"])
@pytest.mark.parametrize(
    ("part", "is_kept"),
    [
        ({"pages": 3}, True),
        ({"pages": 3, "overflow": 1, "encoding-rate": 2.0}, True),
        ({"pages": 3, "encoding-rate": 2.0}, False),
        ({"cache-size": 3}, False),
        ({"overflow": 3}, False),
    ],
)
def test_of_another_encoding_only_what_counts_its_pages_is_of_use(name, part, is_kept):
    assert (filled(Reading({**WHOLE, name: part})).reading.answer.get(name) == part) == is_kept


@pytest.mark.parametrize(
    ("normal", "each", "page"),
    [
        (256, 4097, 4096),
        (255, 4097, None),
        (256, 4096 * 1.0099, 4096),
        (256, 4096 * 1.0101, None),
        (260, 4096 * 0.9901, 4096),
        (260, 4096 * 0.9899, None),
        (16, 65_536 * 1.0099, 65_536),
    ],
)
def test_a_page_size_is_told_by_a_mebibyte_of_normal_pages_that_it_is_within_a_percent_of(normal, each, page):
    """What was sent of a page at the same moment may be in one of the two counters alone."""
    ram = {**WHOLE["ram"], "normal": normal, "normal-bytes": normal * each}
    del ram["page-size"]
    found = filled(Reading({"status": "active", "ram": ram})).reading
    assert ("ram.page-size" in found.derived, found.answer["ram"]["page-size"]) == (page is not None, page or 4096)


def test_a_page_size_is_told_by_just_a_mebibyte():
    ram = {**WHOLE["ram"], "normal": 255, "normal-bytes": 1 << 20}
    del ram["page-size"]
    assert "ram.page-size" in filled(Reading({"status": "active", "ram": ram})).reading.derived
