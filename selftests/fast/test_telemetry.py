# SPDX-License-Identifier: GPL-2.0-or-later
"""The page in which the guest tells what it has done, word by word as images/README.md has it."""

import struct
from dataclasses import asdict, replace

import pytest

from avocado_migdowntime.errors import HarnessError
from avocado_migdowntime.guest_memory.telemetry import PATTERN_NAMES, Telemetry

MAGIC = int.from_bytes(b"MIGDOWNT", "big")


def page(byte_order, *, pattern=1, first=MAGIC, vcpus=1):
    """A page in which each word has its own index times 1000, but for the magic number, the pattern and the vCPUs."""
    words = [first, *(1000 * index for index in range(1, 512))]
    words[11], words[27] = pattern, vcpus
    return struct.pack(f"{byte_order}512Q", *words)


@pytest.mark.parametrize("byte_order", "<>")
def test_each_field_is_the_word_that_the_readme_names(byte_order):
    assert asdict(Telemetry.parse(page(byte_order))) == {
        "byte_order": byte_order,
        "heartbeat_count": 6000,
        "region_start": 7000,
        "region_bytes": 8000,
        "granule_bytes": 9000,
        "rate_pages_per_s": 10000,
        "pattern": "random",
        "seed": 12000,
        "pages_written": 13000,
        "hot_percent": 22000,
        "share_percent": 23000,
        "others_written": (),
    }


def test_no_more_of_the_page_is_read_than_there_are_fields():
    assert Telemetry.parse(page("<")[: 28 * 8]).seed == 12000
    with pytest.raises(HarnessError, match="^the guest's telemetry page ends after 223 bytes$"):
        Telemetry.parse(page("<")[: 28 * 8 - 1])
    assert Telemetry.parse(page("<", vcpus=16)[: (28 + 9 * 15) * 8]).vcpus == 16
    with pytest.raises(HarnessError, match="^the guest's telemetry page ends after 1303 bytes$"):
        Telemetry.parse(page("<", vcpus=16)[: (28 + 9 * 15) * 8 - 1])


@pytest.mark.parametrize("byte_order", "<>")
def test_each_further_vcpu_has_words_of_its_own(byte_order):
    told = Telemetry.parse(page(byte_order, vcpus=4))
    assert (told.pages_written, told.others_written, told.vcpus) == (13000, (28000, 37000, 46000), 4)


@pytest.mark.parametrize("vcpus", [0, 17])
def test_more_vcpus_than_can_dirty_are_refused(vcpus):
    says = f"^the guest's telemetry page names {vcpus} vCPUs, expected 1 to 16$"
    with pytest.raises(HarnessError, match=says):
        Telemetry.parse(page("<", vcpus=vcpus))


@pytest.mark.parametrize(
    ("granules", "others", "of_each"),
    [(7, (2, 3), [2, 2, 3]), (8, (5,), [4, 4]), (3, (9, 9), [1, 1, 1]), (20, (1, 1, 1, 1, 1), [3, 3, 4, 3, 3, 4])],
)
def test_the_region_is_divided_among_the_vcpus_by_whole_granules(granules, others, of_each):
    told = Telemetry("<", 0, 0, granules * 8192, 8192, 0, "random", 7, 8, 20, 80, others)
    assert [share.region_bytes // 8192 for share in told.shares] == of_each
    assert [share.pages_written for share in told.shares] == [8, *others]
    assert all(share.vcpus == 1 for share in told.shares)


def test_several_vcpus_have_finished_when_each_has():
    done = Telemetry("<", 0, 0, 7 * 4096, 4096, 0, "idle", 7, 2, 0, 0, (2, 3))
    assert done.finished
    assert not replace(done, others_written=(2, 2)).finished and not replace(done, pages_written=1).finished


@pytest.mark.parametrize(("number", "pattern"), list(enumerate(PATTERN_NAMES)))
def test_a_pattern_is_named_by_its_number(number, pattern):
    assert Telemetry.parse(page(">", pattern=number)).pattern == pattern


@pytest.mark.parametrize("byte_order", "<>")
def test_a_pattern_without_a_name_is_refused(byte_order):
    with pytest.raises(HarnessError, match=r"^the guest's telemetry page names pattern 4, which is unknown$"):
        Telemetry.parse(page(byte_order, pattern=4))


def test_a_page_without_the_magic_number_is_refused_with_what_it_begins_with():
    says = "^the guest's telemetry page begins with 0100000000000000, not with its magic number$"
    with pytest.raises(HarnessError, match=says):
        Telemetry.parse(page("<", first=1))


@pytest.mark.parametrize(
    ("pattern", "rate", "written", "finished"),
    [
        ("idle", 0, 3, True),
        ("idle", 0, 4, True),
        ("idle", 0, 2, False),
        ("idle", 1, 3, False),
        ("random", 0, 3, False),
    ],
)
def test_an_idle_guest_has_finished_with_its_first_sweep(pattern, rate, written, finished):
    told = Telemetry("<", 0, 0, 3 * 4096 + 4095, 4096, rate, pattern, 7, written, 0, 0)
    assert told.pages == 3
    assert told.finished is finished


ORDERED = {"region_bytes": 8000, "granule_bytes": 9000, "pattern": "random"}


def test_what_it_was_ordered_is_compared_with_what_it_says():
    told = Telemetry.parse(page("<"))
    assert told.held_to(ORDERED) is told
    says = (
        r"^the guest's telemetry page has 8000 as its region_bytes, expected 65536; so it is unknown what the "
        r"guest wrote$"
    )
    with pytest.raises(HarnessError, match=says):
        told.held_to({**ORDERED, "region_bytes": 65536})


def test_nobody_writes_more_than_can_be():
    told = Telemetry.parse(page("<"))
    assert replace(told, pages_written=1 << 62).held_to(ORDERED)
    with pytest.raises(HarnessError, match=r"^the guest's telemetry page counts 4611686018427387905 writes, which"):
        replace(told, pages_written=(1 << 62) + 1).held_to(ORDERED)
    with pytest.raises(HarnessError, match=r" counts 4611686018427387906 writes, which is impossible$"):
        replace(told, others_written=(1, (1 << 62) + 2)).held_to(ORDERED)
