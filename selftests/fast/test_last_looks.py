# SPDX-License-Identifier: GPL-2.0-or-later
"""What the last line of a log says of the limit, on either side of each line that is drawn."""

import pytest

from avocado_migdowntime.forms.remaining import POSTCOPY, LastLooks, dirtying_in_words
from avocado_migdowntime.trace.reading import Reading


def look(of="VM 1", remaining=1_000_000, mbps=8.0, syncs=2, **ram):
    """8 Mbps are 1000 bytes a millisecond, so that 1 MB is a second."""
    shown = {"remaining": remaining, "mbps": mbps, "dirty-sync-count": syncs, "page-size": 4096, **ram}
    return Reading({"status": "active", "ram": shown}, of=of)


def compared(limit_ms, *readings, besides=()):
    looks = LastLooks()
    for reading in readings:
        looks.active(reading)
    return [(remark.of, remark.text) for remark in looks.compared(limit_ms, "that are set", besides)]


@pytest.mark.parametrize(
    ("limit_ms", "words"),
    [
        (499, "far above the 499 ms"),
        (500, "above the 500 ms"),
        (999, "above the 999 ms"),
        (1000, None),
        (1001, "below the 1001 ms"),
    ],
)
def test_what_was_left_is_above_or_below_a_limit(limit_ms, words):
    told = [("VM 1", f"at the last line 1 MB were left: 1 s at 1 MB/s, {words} that are set")] if words else []
    assert compared(limit_ms, look()) == told


@pytest.mark.parametrize(
    "other",
    [
        look("VM 0", syncs=1),
        look("VM 0", mbps=0),
        look("VM 0", mbps=1e9),
        look("VM 0", remaining=None),
        Reading({"status": "active", "ram": {}}, of="VM 0"),
        Reading({"status": "active"}, of="VM 0"),
    ],
    ids=[
        "in its first pass",
        "nothing is sent",
        "no link carries as much",
        "nothing is known to be left",
        "nothing is known",
        "no RAM is told of",
    ],
)
def test_a_migration_of_which_nothing_is_known_hides_no_other(other):
    assert [of for of, _ in compared(100, other, look("VM 1"), look("VM 2"))] == ["VM 1", "VM 2"]


def test_of_some_nothing_is_said():
    assert [of for of, _ in compared(100, look("VM 0"), look("VM 1"), besides={"VM 0"})] == ["VM 1"]


def test_of_one_in_postcopy_nothing_is_said_until_that_could_not_begin():
    looks = LastLooks()
    looks.active(look("VM 0"))
    looks.active(look("VM 1"))
    looks.postcopy("VM 0", None)
    assert [remark.of for remark in looks.compared(100, "that are set")] == ["VM 1"]
    looks.postcopy("VM 0", None, failed=True)
    assert [remark.of for remark in looks.compared(100, "that are set")] == ["VM 0", "VM 1"]


@pytest.mark.parametrize(
    ("sent", "left", "syncs", "is_over"),
    [
        (None, 1_000_000, 1, False),
        (None, 1_000_000, 2, True),
        (9_000_000, 1_000_000, None, False),
        (11_000_000, 1_000_000, None, True),
    ],
)
def test_a_first_pass_says_nothing_of_the_limit(sent, left, syncs, is_over):
    reading = look(remaining=left, syncs=syncs, transferred=sent, total=10_000_000)
    assert bool(compared(100, reading)) == is_over


@pytest.mark.parametrize(("pages", "faster"), [(244, False), (245, True)])
def test_a_guest_dirties_faster_than_is_sent_where_that_is_sure(pages, faster):
    """4096 bytes 244.1 times a second are 1 MB/s."""
    words = dirtying_in_words(look(**{"dirty-pages-rate": pages}))
    assert words.startswith("at the last line the guest dirtied 1 MB/s, but 1 MB/s were sent: ") == faster
    assert bool(words) == faster


@pytest.mark.parametrize(("sent", "pages", "faster"), [(0, 2, False), (1, 1, False), (1, 2, True)])
def test_a_guest_dirties_faster_than_pages_are_sent_where_some_are(sent, pages, faster):
    words = dirtying_in_words(look(mbps=None, **{"dirty-pages-rate": pages, "pages-per-second": sent}))
    assert (" of pages were sent, zero pages included: " in words) == bool(words) == faster


@pytest.mark.parametrize("lacking", ["mbps", "dirty-pages-rate", "page-size"])
def test_it_is_not_known_whether_it_dirties_faster_where_a_figure_is_lacking(lacking):
    assert dirtying_in_words(look(**{"dirty-pages-rate": 9999, lacking: None})) == ""


def test_an_end_is_told_once_with_what_was_left_before_or_with_its_limit():
    looks = LastLooks()
    remark, told = looks.ends("VM 1", "failed", None, limit_ms=300)
    assert (told.answer["status"], remark.text) == ("failed", "the downtime-limit was 300 ms at its end")
    assert looks.ends("VM 1", "failed", None) == []
    looks.active(look())
    remark, _ = looks.ends("VM 1", "failed", None, limit_ms=300)
    assert remark.text == "at the last line before that 1 MB were left: 1 s at 1 MB/s, under a downtime-limit of 300 ms"
    assert len(looks.ends("VM 2", "failed", None)) == 1


def test_of_one_whose_figures_show_that_it_is_in_postcopy_nothing_is_said():
    looks = LastLooks()
    looks.active(look("VM 0"))
    shown = look("VM 1")
    looks.active(Reading({**shown.answer, "status": POSTCOPY}, of="VM 1"))
    assert [remark.of for remark in looks.compared(100, "that are set")] == ["VM 0"]
    assert looks.active(shown).answer["status"] == POSTCOPY
