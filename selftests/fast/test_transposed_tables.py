# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables with a figure in each row: their columns may be of several migrations, so they are refused."""

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


def written(rows, between, at_ends=""):
    return "".join(f"{at_ends}{between.join(row)}{at_ends}\n" for row in rows)


def markdown(rows):
    head, *rest = [["", *(f"at {number}" for number in range(len(rows[0]) - 1))], *rows]
    return written([head, ["---"] * len(head), *rest], " | ", "|")


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
