# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures that went through a spreadsheet, and several migrations of one guest in one log."""

import csv
import io
import json
import re

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.reader import Reader
from avocado_migdowntime.trace.reading import Reading
from avocado_migdowntime.verdict.judge import judge

from ..support.product_logs import Look, kubevirt, proxmox_new

TEXT = """Migration status: active
total time: 131000 milliseconds
expected downtime: 1491 milliseconds
throughput: 900.50 mbps
remaining ram: 401232 kbytes
total ram: 8388864 kbytes
duplicate: 1678265 pages
normal: 4536795 pages
normal bytes: 18147180 kbytes
dirty sync count: 6
page size: 4 kbytes
dirty pages rate: 41000 pages
"""
COLUMNS = {
    "t": lambda row: 2 * row,
    "status": lambda row: "active",
    "remaining": lambda row: 410_861_568 - 40_960_000 * row,
    "mbps": lambda row: 900.5,
    "expected-downtime": lambda row: 1491,
    "dirty-sync-count": lambda row: 6,
    "page-size": lambda row: 4096,
    "dirty-pages-rate": lambda row: 41_000,
    "normal": lambda row: 4_536_795 + 10_000 * row,
    "duplicate": lambda row: 1_678_265,
    "total-time": lambda row: 131_000 + 2000 * row,
}
PASTED = ["{}", "> {}", "    {}"]


def pasted(lines, around):
    return ("It hangs:\n\n" + "\n".join(around.format(line) for line in lines) + "\n\nWhat now?\n").encode()


@pytest.mark.parametrize("around", PASTED)
@pytest.mark.parametrize("delimiter", ["\t", ";", ",", "|"])
@pytest.mark.parametrize("first", [*COLUMNS, "row"])
def test_a_table_is_read_whatever_its_first_column_is(first, delimiter, around):
    columns = {first: COLUMNS.get(first, lambda row: row + 1)} | COLUMNS
    lines = [delimiter.join(columns)]
    lines += [delimiter.join(str(cell(row)) for cell in columns.values()) for row in range(4)]
    samples = parse(pasted(lines, around)).samples
    assert [one.ram.remaining_bytes for one in samples] == [COLUMNS["remaining"](row) for row in range(4)]
    last = samples[-1]
    assert (last.ram.mbps, last.ram.dirty_sync_count, last.expected_downtime_ms) == (900.5, 6, 1491)
    assert last.ram.sent_pages == 4_566_795 + 1_678_265


def test_lines_that_are_numbered_are_read_without_their_numbers():
    lines = [f"{number:6}\t{line}" for number, line in enumerate(TEXT.splitlines(), 1)]
    assert parse("\n".join(lines).encode()).samples[-1].ram == parse(TEXT.encode()).samples[-1].ram


@pytest.mark.parametrize("around", PASTED)
@pytest.mark.parametrize("delimiter", ["\t", ";", ",", '","', " ; "])
def test_a_figure_and_its_unit_may_be_in_two_cells(delimiter, around):
    lines = [re.sub(r"(\d) (\w+)$", rf"\1{delimiter}\2", line.replace(": ", delimiter)) for line in TEXT.splitlines()]
    if '"' in delimiter:
        lines = [f'"{line}"' for line in lines]
    trace = parse(pasted(lines, around))
    assert trace.samples[-1].ram == parse(TEXT.encode()).samples[-1].ram
    assert judge(trace).left_now_ms == pytest.approx(3650.1, abs=0.1)


@pytest.mark.parametrize("thousands", [".", "'", "\u202f"])
def test_a_figure_in_a_cell_of_its_own_may_have_a_comma_and_thousands(thousands):
    text = TEXT.replace("900.50", "900,50").replace("401232", f"401{thousands}232")
    lines = [re.sub(r"(\d) (\w+)$", r"\1\t\2", line.replace(": ", "\t")) for line in text.splitlines()]
    assert judge(parse("\n".join(lines).encode())).left_now_ms == pytest.approx(3650.1, abs=0.1)


def ram(remaining_mib, count):
    pages = 100_000 * count
    return {
        "total": 8 << 30, "remaining": remaining_mib << 20, "page-size": 4096, "normal": pages, "duplicate": 1000,
        "dirty-sync-count": 1 + count, "dirty-pages-rate": 20_000, "mbps": 800, "transferred": 4096 * pages,
        "normal-bytes": 4096 * pages, "pages-per-second": 20_000,
    }  # fmt: skip


def looks(begin_s, lefts):
    for count, left in enumerate(lefts, 1):
        shown = {"total-time": 4000 * count, "expected-downtime": 300, "ram": ram(left, count)}
        yield Look(begin_s + 4.0 * count, shown)


def test_a_migration_that_kubevirt_tries_again_is_of_no_other_guest():
    lines = [kubevirt(look) for look in looks(0, [900, 800])]
    named = re.search(r"Migration info for ([\w-]+)", lines[0])[1]
    later = [kubevirt(look).replace(named, "another") for look in looks(600, [700, 600])]
    trace = parse("\n".join([*lines, *later]).encode())
    assert [round(one.ram.remaining_bytes / (1 << 20)) for one in trace.samples] == [700, 600]
    assert "2 migrations are in this text: another is judged" in trace.notes
    assert not any("guests" in note for note in trace.notes)


def test_a_migration_that_proxmox_tries_again_is_of_no_other_guest():
    begins = "2024-05-12 1{}:57:00 starting migration of VM 101 to node 'b' (10.0.0.2)"
    lines = [
        line
        for number in (1, 2, 3)
        for line in [begins.format(number), *map(proxmox_new, looks(3600 * (number - 1), [900, 800]))]
    ]
    trace = parse("\n".join(lines).encode())
    assert "3 migrations are in this text: VM 101, migration 3 is judged" in trace.notes
    assert len(trace.samples) == 2 and not any("guests" in note for note in trace.notes)


@pytest.mark.parametrize("times", [2, 3])
def test_a_reply_may_be_within_strings_of_strings(times):
    reply = json.dumps({"return": {"status": "active", "expected-downtime": 1491, "ram": ram(900, 1)}})
    text = f"reply={reply}"
    for _ in range(times):
        text = json.dumps({"msg": text})
    assert parse(text.encode()).samples[-1].ram.remaining_bytes == 900 << 20


ROWS = [kubevirt(look) for look in looks(0, [900, 800, 700, 600])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "names", [["_raw", "_time"], ["_time", "_raw"], ["host", "_raw", "_time"], ["row", "_raw"]], ids=str
)
@pytest.mark.parametrize("is_newest_first", [False, True])
def test_objects_in_the_cells_of_an_export_are_read_in_the_order_of_their_time(names, delimiter, is_newest_first):
    file = io.StringIO()
    table = csv.DictWriter(file, names, delimiter=delimiter, extrasaction="ignore")
    table.writeheader()
    for row in reversed(range(4)) if is_newest_first else range(4):
        table.writerow({"_raw": ROWS[row], "_time": f"2024-05-12T11:57:{row:02}.120+0000", "host": "a", "row": row})
    trace = parse(file.getvalue().encode())
    assert [one.ram.remaining_bytes >> 20 for one in trace.samples] == [900, 800, 700, 600]


@pytest.mark.parametrize("width", [50, 60, 70, 80, 93, 94, 95, 97, 100, 110, 120])
def test_a_line_of_proxmox_may_be_broken_before_its_dirty_rate(width):
    sent = "2024-03-01 10:20:{} migration active, transferred {} MiB of 8.0 GiB VM-state, 49.0 MiB/s"
    dirties = ", VM dirties lots of memory: 80.0 MiB/s"
    lines = [sent.format("03", 410), sent.format(13, 900) + dirties, sent.format(23, 1390) + dirties]
    text = "".join(f"{line[at : at + width]}\n" for line in lines for at in range(0, len(line), width))
    read = [one.answer["ram"] for one in Reader().whole([text.encode()]) if isinstance(one, Reading)]
    assert [one.get("dirty-pages-rate") for one in read] == [None, 20480, 20480]
