# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables with a figure in each row: read if their columns are certainly samples of one migration, else refused."""

import json

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse

from ..support.posts import JOB, SHOWN


def shown(after_ms, sent_kib, syncs=11):
    """What `info migrate` shows later, at the bandwidth that it shows."""
    figures = {"341207": 341_207 + after_ms, "11020334": 11_020_334 + sent_kib, "301408": 301_408 - sent_kib}
    figures |= {"2744127": 2_744_127 + sent_kib // 4, "10976508": 10_976_508 + sent_kib, "count: 11": f"count: {syncs}"}
    text = SHOWN
    for before, after in figures.items():
        text = text.replace(before, str(after))
    return text


LOOKS = [SHOWN, shown(1000, 109_144), shown(2000, 218_288)]
PAIRS = [[line.split(": ") for line in look.splitlines()] for look in LOOKS]
ROWS = [[first[0], *(one[1] for one in (first, *others))] for first, *others in zip(*PAIRS, strict=True)]
EXACT = [
    ["field", "1", "2", "3"],
    ["total-time", "341207", "342207", "343207"],
    ["ram.remaining", "308641792", "196878336", "85114880"],
    ["ram.normal", "2744127", "2771413", "2798699"],
    ["ram.duplicate", "210345", "210345", "210345"],
    ["ram.mbps", "894.12", "894.1", "894.11"],
    ["dirty-sync-count", "11", "11", "11"],
]


def written(rows, between, at_ends=""):
    return "".join(f"{at_ends}{between.join(row)}{at_ends}\n" for row in rows)


def markdown(rows):
    head, *rest = [["", *(f"at {number}" for number in range(len(rows[0]) - 1))], *rows]
    return written([head, ["---"] * len(head), *rest], " | ", "|")


@pytest.mark.parametrize(
    "text",
    [
        markdown(ROWS),
        markdown([[f"**{name}**", *cells] for name, *cells in ROWS]),
        written(ROWS, "\t"),
        written(ROWS, ","),
        written(ROWS, "     "),
        "".join(f"{'    '.join(f'{name}: {cell}' for cell in cells)}\n" for name, *cells in ROWS),
        f"It does not finish:\n\n{markdown(ROWS)}\nWhat can I do?\n",
    ],
    ids=["Markdown", "strong names", "tabs", "commas", "blanks", "pasted", "in prose"],
)
def test_columns_are_samples(text):
    assert [*parse(text.encode()).samples] == [*parse("\n".join(LOOKS).encode()).samples]


def test_columns_may_have_the_names_of_qmp():
    trace = parse(written(EXACT, ";").encode())
    assert [sample.ram.remaining_bytes for sample in trace.samples] == [308_641_792, 196_878_336, 85_114_880]
    assert trace.samples.t_s.tolist() == [341.207, 342.207, 343.207]


def test_what_stands_beside_the_table_counts():
    trace = parse(f"(qemu) info migrate_parameters\ndowntime-limit: 317 ms\n\n{markdown(ROWS)}".encode())
    assert trace.downtime_limit_ms == 317


def changed(row, column, cell):
    return [[*cells[:column], cell, *cells[column + 1 :]] if cells[0] == row else cells for cells in ROWS]


@pytest.mark.parametrize(
    "rows",
    [
        changed("Migration status", 1, "completed"),
        changed("total time", 2, "382207 ms"),
        changed("total time", 2, "341207 ms"),
        changed("total time", 3, "341907 ms"),
        changed("total ram", 3, "8388608 kbytes"),
        changed("normal", 3, "2899000 pages"),
        changed("transferred ram", 2, "11020334 kbytes"),
        changed("throughput", 2, "0.00 mbps"),
        [row for row in ROWS if row[0] not in ("normal", "transferred ram")],
        [row for row in ROWS if row[0] != "total time"],
        [row for row in ROWS if row[0] != "throughput"],
        [[name, first, *others[::-1]] for name, first, *others in ROWS],
        [[name, *cells[::-1]] for name, *cells in ROWS],
        [[*row, row[-1]] for row in ROWS],
    ],
)
def test_columns_that_may_be_of_several_migrations_are_not_read(rows):
    with pytest.raises(UsageError, match="side by side"):
        parse(markdown(rows).encode())


@pytest.mark.parametrize("between", [" | ", "\t"])
def test_jobs_side_by_side_are_named(between):
    lines = [line.split(":") for line in JOB.splitlines()]
    rows = [[name, *[" ".join(figure.split())] * 2] for name, figure in lines]
    with pytest.raises(UsageError, match="side by side"):
        parse(written(rows, between).encode())


def test_a_table_does_not_hide_figures_beside_it():
    other = shown(9000, 300_000, syncs=14)
    assert parse(f"{markdown(ROWS)}\n{other}".encode()).samples[-1].ram.dirty_sync_count == 14


@pytest.mark.parametrize("is_object", [True, False])
def test_rows_that_look_right_by_chance_are_not_used_if_others_show_other_units(is_object):
    names = ("total-time", "remaining", "mbps", "dirty-sync-count", "dirty-pages-rate", "normal")
    rows = [
        (1000 * number, kib, 894.1, 11, 26_880, 274_412) for number, kib in enumerate((301_056, 290_001, 280_576), 1)
    ]
    lines = [",".join(map(str, row)) for row in (names, *rows)]
    lines = [json.dumps(dict(zip(names, row, strict=True))) for row in rows] if is_object else lines
    with pytest.raises(
        UsageError, match="a table has 290001 of RAM remaining, where bytes of whole pages were expected"
    ):
        parse("\n".join(lines).encode())
