# SPDX-License-Identifier: GPL-2.0-or-later
"""The check of the guest's pages, on memory that is filled by the description in images/README.md."""

import numpy as np
import pytest

from avocado_migdowntime.agent import page_sums
from avocado_migdowntime.errors import HarnessError
from avocado_migdowntime.guest_memory.inspection import PAGE_WORDS, Inspection
from avocado_migdowntime.guest_memory.telemetry import PAGE_BYTES, PATTERN_NAMES, Telemetry
from avocado_migdowntime.guest_memory.write_order import expected_pages

from ..support.dirtier_guest import MASK, hot_cold_walk, mix, random_walk

PAGES, SEED, START = 96, 7, 0x1000000
STEP, EPOCH_STEP = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03
STEPS = np.arange(PAGE_WORDS - 4, dtype=np.uint64) * np.uint64(STEP)


def told(**changes):
    fields = {
        "byte_order": "<", "heartbeat_count": 5, "region_start": START, "region_bytes": PAGES * PAGE_BYTES,
        "granule_bytes": PAGE_BYTES, "rate_pages_per_s": 0, "pattern": "sequential", "seed": SEED,
        "pages_written": 3 * PAGES + 10, "hot_percent": 20, "share_percent": 80,
    }  # fmt: skip
    return Telemetry(**{**fields, **changes})


def page(index, epoch, byte_order="<"):
    """A page as images/README.md describes it, written down without the code that is tested."""
    value = mix(index * STEP + epoch * EPOCH_STEP + SEED & MASK)
    words = np.concatenate([np.array([index, epoch, SEED, 0], dtype=np.uint64), np.uint64(value) + STEPS])
    words[3] = words.sum(dtype=np.uint64)
    return words.astype(f"{byte_order}u8").view(np.uint64)


def walk(pattern, granules, epoch):
    if pattern == "random":
        return random_walk(granules, SEED, epoch)
    if pattern == "hot-cold" and epoch > 1:
        return hot_cold_walk(granules, SEED, epoch, 20, 80)
    return range(granules)


def epochs(pattern, writes, per_granule=1):
    """The epoch of each page after so many writes, one by one."""
    found = [0] * PAGES
    granules = PAGES // per_granule
    for done in range(writes):
        epoch, position = done // PAGES + 1, done % PAGES
        granule = walk(pattern, granules, epoch)[position // per_granule]
        found[granule * per_granule + position % per_granule] = epoch
    return found


def memory(telemetry):
    return np.array([
        page(index, epoch, telemetry.byte_order) if epoch else np.zeros(PAGE_WORDS, dtype=np.uint64)
        for index, epoch in enumerate(expected_pages(telemetry).epochs.tolist())
    ])  # fmt: skip


def finding(telemetry, ram):
    inspection = Inspection(telemetry)
    inspection.see(np.arange(len(ram)), ram)
    found = inspection.finding()
    assert summed_up(telemetry, ram) == found
    return found


def summed_up(telemetry, ram):
    """The finding where the pages are on another host, which tells their sums."""
    inspection = Inspection(telemetry)
    wanted = inspection.see_sums(np.arange(len(ram)), b"".join(page_sums.sums(memoryview(ram.tobytes()))))
    assert len(wanted) <= 21
    for index in wanted:
        inspection.see(np.array([index]), ram[index : index + 1])
    return inspection.finding()


@pytest.mark.parametrize("pattern", PATTERN_NAMES)
@pytest.mark.parametrize("per_granule", [1, 8])
@pytest.mark.parametrize("writes", [0, 5, PAGES, PAGES + 1, 3 * PAGES + 41])
def test_the_epoch_of_each_page_follows_from_the_count_of_writes(pattern, per_granule, writes):
    telemetry = told(pattern=pattern, pages_written=writes, granule_bytes=per_granule * PAGE_BYTES)
    assert expected_pages(telemetry).epochs.tolist() == epochs(pattern, writes, per_granule)


def test_the_page_that_may_be_half_written_is_the_next_one():
    must = expected_pages(told(pattern="random", pages_written=2 * PAGES + 7))
    assert must.under_way == {random_walk(PAGES, SEED, 3)[7]: 3}
    assert expected_pages(told(pattern="idle", pages_written=PAGES)).under_way == {}
    assert expected_pages(told(pattern="idle", rate_pages_per_s=1, pages_written=PAGES)).under_way == {0: 2}


@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize("pattern", PATTERN_NAMES)
def test_memory_as_the_guest_wrote_it_is_intact(byte_order, pattern):
    telemetry = told(byte_order=byte_order, pattern=pattern)
    found = finding(telemetry, memory(telemetry))
    assert found.intact and found.pages == PAGES
    assert str(found) == "each of 96 pages is what the guest wrote last"


@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize(
    ("damage", "pages", "words"),
    [
        ({5: "byte"}, 1, "page 5 (at 0x1005000) is torn: 1 of its 512 words, from byte 1000 on, are not those of"),
        ({9: "flag"}, 1, "page 9 (at 0x1009000) is torn: 1 of its 512 words, from byte 4088 on"),
        ({20: "empty"}, 1, "page 20 (at 0x1014000) is lost: it is empty"),
        ({8: "old"}, 1, "page 8 (at 0x1008000) is old: of epoch 3, where 4 was written last"),
        ({30: "ahead"}, 1, "page 30 (at 0x101e000) is ahead of what the guest has counted: of epoch 4, where 3"),
        ({50: "torn"}, 1, "page 50 (at 0x1032000) is torn: "),
        ({33: "other"}, 1, "page 33 (at 0x1021000) is lost: page 34 stands in its place"),
        (dict.fromkeys(range(16, 32), "empty"), 16, "pages 16 to 31: the first (at 0x1010000) is lost: it is empty"),
    ],
    ids=lambda value: next(iter(value.values())) if isinstance(value, dict) else None,
)  # fmt: skip
def test_damage_is_found_and_named(byte_order, damage, pages, words):
    telemetry = told(byte_order=byte_order)
    ram = memory(telemetry)
    for index, kind in damage.items():
        ram[index] = damaged(kind, ram, index, byte_order)
    found = finding(telemetry, ram)
    assert (found.damaged_pages, len(found.faults)) == (pages, 1)
    assert found.faults[0].startswith(words)
    assert str(found).startswith(f"{pages} of 96 pages are not what the guest wrote last: page")


def damaged(kind, ram, index, byte_order):
    row = ram[index].copy()
    match kind:
        case "byte":
            row.view(np.uint8)[1003] ^= 1
        case "flag":
            row.view(np.uint8)[4095] ^= 0x80
        case "empty":
            row[:] = 0
        case "old":
            row = page(index, 3, byte_order)
        case "ahead":
            row = page(index, 4, byte_order)
        case "torn":
            row[200:] = page(index, 2, byte_order)[200:]
        case "other":
            row = ram[index + 1]
    return row


def test_only_the_next_page_may_be_half_written():
    telemetry = told()
    ram = memory(telemetry)
    ram[10, :300] = page(10, 4)[:300]
    assert finding(telemetry, ram).intact
    ram[10, 300:] = page(10, 2)[300:]
    assert finding(telemetry, ram).faults[0].startswith("page 10 (at 0x100a000) is torn")
    ram = memory(telemetry)
    ram[11, :300] = page(11, 4)[:300]
    assert finding(telemetry, ram).damaged_pages == 1


@pytest.mark.parametrize("pattern", PATTERN_NAMES)
@pytest.mark.parametrize("per_granule", [1, 8])
def test_each_of_several_vcpus_writes_its_share_at_a_pace_of_its_own(pattern, per_granule):
    written, granules = (120, 7, 200, 19, 31), PAGES // per_granule
    telemetry = told(
        pattern=pattern,
        granule_bytes=per_granule * PAGE_BYTES,
        pages_written=written[0],
        others_written=written[1:],
        hot_percent=50,
    )
    expected, under_way = [], {}
    for vcpu, count in enumerate(written):
        begin, end = [granules * number // len(written) * per_granule for number in (vcpu, vcpu + 1)]
        share = Telemetry(**{
            **vars(telemetry), "region_bytes": (end - begin) * PAGE_BYTES, "pages_written": count, "others_written": ()
        })  # fmt: skip
        alone = expected_pages(share)
        expected += alone.epochs.tolist()
        under_way |= {begin + page: epoch for page, epoch in alone.under_way.items()}
    assert len(expected) == PAGES and 0 in expected
    must = expected_pages(telemetry)
    assert (must.epochs.tolist(), must.under_way) == (expected, under_way)
    assert finding(telemetry, memory(telemetry)).intact


def test_of_each_vcpus_share_one_page_may_be_half_written():
    telemetry = told(pages_written=50, others_written=(3, 32))  # of 32 pages each
    ram = memory(telemetry)
    for index, epoch in ((18, 2), (35, 1), (64, 2)):
        ram[index, :300] = page(index, epoch)[:300]
    assert finding(telemetry, ram).intact
    for index, epoch in ((18, 3), (19, 2), (34, 2), (65, 2)):
        damaged = memory(telemetry)
        damaged[index, :300] = page(index, epoch)[:300]
        assert finding(telemetry, damaged).damaged_pages == 1


@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize(
    ("begin", "rest", "half_sent"), [(3, 2, 1), (3, 1, 0), (2, 3, 0), (2, 2, 0), (4, 3, 0)], ids=str
)
@pytest.mark.parametrize("words", [2, 112, 511])
def test_a_page_whose_last_write_arrived_in_part_is_counted(byte_order, words, begin, rest, half_sent):
    telemetry = told(byte_order=byte_order)
    ram = memory(telemetry)
    ram[50, :words], ram[50, words:] = page(50, begin, byte_order)[:words], page(50, rest, byte_order)[words:]
    found = finding(telemetry, ram)
    assert (found.damaged_pages, found.half_sent) == (1, half_sent)


def test_many_separate_faults_are_counted_and_the_first_named():
    telemetry = told()
    ram = memory(telemetry)
    ram[::2] = 0
    found = finding(telemetry, ram)
    assert (found.damaged_pages, len(found.faults)) == (PAGES // 2, 20)
    assert found.faults[-1].startswith("page 38 ")


def test_scattered_pages_are_found_wherever_they_lie():
    telemetry = told(region_start=0)
    ram = memory(telemetry)
    stale = np.array([page(12, 2)])
    elsewhere = np.concatenate([np.zeros((3, PAGE_WORDS), dtype=np.uint64), ram[::-1], stale])
    assert found_anywhere(telemetry, elsewhere).intact
    found = found_anywhere(telemetry, np.concatenate([stale, ram[:12], ram[14:]]))
    assert found.faults == ("pages 12 to 13: the first is old: of epoch 2, where 3 was written last",)
    assert found_anywhere(telemetry, ram[:95]).faults == ("page 95 is nowhere in the RAM",)


def found_anywhere(telemetry, rows):
    inspection = Inspection(telemetry)
    inspection.see_anywhere(rows)
    told_by_sums = Inspection(telemetry)
    records = page_sums.seeded(memoryview(rows.tobytes()), 0, told_by_sums.seed)
    for number in told_by_sums.see_found(b"".join(records)):
        told_by_sums.see_anywhere(rows[number : number + 1])
    assert told_by_sums.finding() == inspection.finding()
    return inspection.finding()


def test_a_page_that_is_no_telemetry_is_refused():
    with pytest.raises(HarnessError, match="begins with 0000000000000000, not with its magic number"):
        Telemetry.parse(bytes(PAGE_BYTES))
    with pytest.raises(HarnessError, match="names pattern 4, which is unknown"):
        Telemetry.parse(b"MIGDOWNT" + bytes(80) + (4).to_bytes(8, "big") + bytes(4000))
