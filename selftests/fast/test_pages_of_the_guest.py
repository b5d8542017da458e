# SPDX-License-Identifier: GPL-2.0-or-later
"""How damage is looked for and named: in parts of a MiB, by the first of neighbours, and in a page found twice."""

import struct

import numpy as np
import pytest

from avocado_migdowntime.guest_memory.inspection import PAGE_WORDS, Inspection
from avocado_migdowntime.guest_memory.telemetry import PAGE_BYTES, Telemetry
from avocado_migdowntime.guest_memory.write_order import expected_pages, mix

from ..support.dirtier_guest import MASK, hot_cold_walk, random_walk
from ..support.dirtier_guest import mix as mixed_by_hand

SEED = 7
STEP, EPOCH_STEP = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03


def told(pages, pages_written, **changes):
    fields = {
        "byte_order": "<", "heartbeat_count": 5, "region_start": 0x1000000, "region_bytes": pages * PAGE_BYTES,
        "granule_bytes": PAGE_BYTES, "rate_pages_per_s": 0, "pattern": "sequential", "seed": SEED,
        "pages_written": pages_written, "hot_percent": 20, "share_percent": 80,
    }  # fmt: skip
    return Telemetry(**{**fields, **changes})


def page(index, epoch, seed=SEED):
    """A page as images/README.md describes it, written down without the code that is tested."""
    value = mixed_by_hand(index * STEP + epoch * EPOCH_STEP + seed & MASK)
    words = [index, epoch, seed, *((value + word * STEP) & MASK for word in range(PAGE_WORDS - 4))]
    words.insert(3, sum(words) & MASK)
    return np.frombuffer(struct.pack(f"<{PAGE_WORDS}Q", *words), dtype=np.uint64)


def memory(pages, epoch):
    return np.array([page(index, epoch) for index in range(pages)])


def seen(telemetry, indices, ram):
    inspection = Inspection(telemetry)
    inspection.see(np.array(indices), ram)
    return inspection.finding()


def test_a_mixed_word_is_that_of_the_guest():
    words = [0, 1, SEED, 1 << 63, MASK]
    assert mix(np.array(words, dtype=np.uint64)).tolist() == [mixed_by_hand(word) for word in words]


def test_more_than_a_mib_is_looked_at_to_its_last_page():
    telemetry = told(600, 600)
    ram = memory(600, 1)
    assert seen(telemetry, range(600), ram).intact
    for index in (0, 255, 256, 511, 512, 599):
        ram[index, -1] ^= np.uint64(1)
    found = seen(telemetry, range(600), ram)
    assert found.damaged_pages == 6 and found.pages == 600
    assert [fault.split(" ")[:2] for fault in found.faults] == [
        ["page", "0"],
        ["pages", "255"],
        ["pages", "511"],
        ["page", "599"],
    ]


def test_pages_are_known_by_their_indices_and_not_by_their_order():
    assert seen(told(3, 3), [2, 0, 1], memory(3, 1)[[2, 0, 1]]).intact
    found = seen(told(3, 3), [2, 0], memory(3, 1)[[2, 0]])
    assert (found.damaged_pages, found.faults) == (1, ("page 1 (at 0x1001000) is nowhere in the RAM",))


def test_one_good_copy_of_a_page_is_enough_in_any_order():
    good, bad = page(0, 1), page(0, 1).copy()
    bad[9] ^= np.uint64(1)
    for rows in ([good, bad], [bad, good]):
        assert seen(told(1, 1), [0, 0], np.array(rows)).intact
        inspection = Inspection(told(1, 1))
        for row in rows:
            inspection.see(np.array([0]), np.array([row]))
        assert inspection.finding().intact


def test_a_bad_copy_of_a_good_page_hides_none_of_those_after_it():
    ram = memory(2, 1)
    ram[1, 9] ^= np.uint64(1)
    bad = page(0, 1).copy()
    bad[9] ^= np.uint64(1)
    inspection = Inspection(told(2, 2))
    inspection.see(np.array([0]), ram[:1])
    inspection.see(np.array([0, 1]), np.array([bad, ram[1]]))
    assert inspection.finding().faults[0].startswith("page 1 (at 0x1001000) is torn: 1 of")


def test_many_neighbours_are_named_by_the_first_though_it_is_seen_last():
    found = seen(told(41, 41), range(40, -1, -1), np.zeros((41, PAGE_WORDS), dtype=np.uint64))
    assert found.faults == ("pages 0 to 40: the first (at 0x1000000) is lost: it is empty",)


def test_the_last_bad_copy_of_a_page_is_the_one_that_is_named():
    one, other = page(0, 1).copy(), page(0, 1).copy()
    one[9] ^= np.uint64(1)
    other[11] ^= np.uint64(1)
    (fault,) = seen(told(1, 1), [0, 0], np.array([one, other])).faults
    assert fault == ("page 0 (at 0x1000000) is torn: 1 of its 512 words, from byte 88 on, are not those of epoch 1")


def test_what_was_never_written_may_hold_anything():
    ram = memory(4, 1)
    ram[3] = 5
    assert seen(told(4, 3), range(4), ram).intact
    ram[2] = 5
    assert seen(told(4, 3), range(4), ram).damaged_pages == 1


def test_the_page_that_is_being_written_may_be_of_the_write_before_or_empty_before_the_first():
    ram = memory(4, 1)
    ram[1, :200] = page(1, 2)[:200]
    ram[0] = page(0, 2)
    assert seen(told(4, 5), range(4), ram).intact
    ram[1, 300] ^= np.uint64(1)
    assert seen(told(4, 5), range(4), ram).faults[0].startswith("page 1 (at 0x1001000) is torn: 199 of its 512 words")
    other_order = memory(4, 1)
    other_order[0] = page(0, 2)
    other_order[1, 200:] = page(1, 2)[200:]
    assert seen(told(4, 5), range(4), other_order).intact


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (np.zeros(PAGE_WORDS, dtype=np.uint64), "is lost: it is empty"),
        (page(1, 2), "is old: of epoch 2, where 3 was written last"),
        (page(1, 4), "is ahead of what the guest has counted: of epoch 4, where 3 was written last"),
        (page(2, 3), "is lost: page 2 stands in its place"),
        (page(0, 1), "is lost: page 0 stands in its place"),
        (page(3, 3), "is lost: page 3 stands in its place"),
        (page(4, 3), "is torn: 510 of its 512 words, from byte 0 on, are not those of epoch 3"),
        (page(1, 3, seed=8), "is torn: 510 of its 512 words, from byte 16 on, are not those of epoch 3"),
    ],
    ids=["empty", "old", "ahead", "next", "first", "last", "none", "seed"],
)
def test_a_page_is_named_by_what_stands_in_it(row, words):
    ram = memory(4, 3)
    ram[1] = row
    assert seen(told(4, 12), range(4), ram).faults == (f"page 1 (at 0x1001000) {words}",)


def test_neighbours_are_named_together_with_their_place_where_they_have_one():
    ram = memory(8, 1)
    ram[2:5] = 0
    ram[7] = 0
    assert seen(told(8, 8), range(8), ram).faults == (
        "pages 2 to 4: the first (at 0x1002000) is lost: it is empty",
        "page 7 (at 0x1007000) is lost: it is empty",
    )
    assert seen(told(8, 8, region_start=0), range(8), ram).faults == (
        "pages 2 to 4: the first is lost: it is empty",
        "page 7 is lost: it is empty",
    )


def test_of_many_faults_the_first_twenty_are_named_and_each_by_what_it_is():
    ram = memory(64, 1)
    ram[1::2] = 0
    found = seen(told(64, 64), range(64), ram)
    assert found.damaged_pages == 32
    assert found.faults == tuple(
        f"page {index} (at {0x1000000 + 4096 * index:#x}) is lost: it is empty" for index in range(1, 41, 2)
    )
    ram[:] = 0
    ram[40] = page(40, 1)
    assert seen(told(64, 64), range(64), ram).faults == (
        "pages 0 to 39: the first (at 0x1000000) is lost: it is empty",
        "pages 41 to 63: the first (at 0x1029000) is lost: it is empty",
    )


def test_only_pages_that_call_themselves_of_the_region_are_looked_at():
    telemetry = told(4, 4, region_start=0)
    others = [page(4, 1), page(2, 1, seed=8), np.full(PAGE_WORDS, 9, dtype=np.uint64)]
    inspection = Inspection(telemetry)
    inspection.see_anywhere(np.array([*others, *memory(4, 1)[[3, 0]]]))
    assert inspection.finding().faults == ("pages 1 to 2: the first is nowhere in the RAM",)


def test_a_page_of_which_only_wrong_copies_were_found_is_not_called_missing():
    """What is wrong with the twenty-first is not kept, as it follows another wrong one, of which a right copy comes."""
    telemetry, ram = told(22, 22, region_start=0), memory(22, 1)
    inspection = Inspection(telemetry)
    inspection.see_anywhere(ram[:21] ^ np.eye(1, PAGE_WORDS, 9, dtype=np.uint64))
    inspection.see_anywhere(ram[:20])
    assert inspection.finding().faults == ("pages 20 to 21: the first is not what the guest wrote last",)


@pytest.mark.parametrize("granule_pages", [1, 2, 8])
@pytest.mark.parametrize(
    ("pattern", "walk"),
    [("random", lambda count, epoch: random_walk(count, SEED, epoch))]
    + [("hot-cold", lambda count, epoch: hot_cold_walk(count, SEED, epoch, 20, 80) if epoch > 1 else range(count))]
    + [(name, lambda count, epoch: range(count)) for name in ("sequential", "idle")],
    ids=["random", "hot-cold", "sequential", "idle"],
)
@pytest.mark.parametrize("pages", [40, 64, 72])
def test_the_next_page_is_that_after_the_last_write(pattern, walk, granule_pages, pages):
    granules = pages // granule_pages
    for writes in (0, 1, 5, pages - 1, pages, pages + 3, 3 * pages + 7):
        epoch, position = writes // pages + 1, writes % pages
        granule = walk(granules, epoch)[position // granule_pages]
        must = expected_pages(
            told(pages, writes, pattern=pattern, granule_bytes=granule_pages * PAGE_BYTES, rate_pages_per_s=9)
        )
        assert must.under_way == {granule * granule_pages + position % granule_pages: epoch}


@pytest.mark.parametrize(("hot", "share"), [(10, 50), (50, 90), (25, 0), (25, 100)])
def test_hot_pages_take_their_share_of_the_writes(hot, share):
    pages = 40
    telemetry = told(pages, 2 * pages, pattern="hot-cold", hot_percent=hot, share_percent=share)
    of_second = set(hot_cold_walk(pages, SEED, 2, hot, share))
    assert expected_pages(telemetry).epochs.tolist() == [2 if index in of_second else 1 for index in range(pages)]
