# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies of which somebody left out the begin, the end, or something within: what is whole of them counts."""

import json

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.objects import closed, parsed
from avocado_migdowntime.verdict.judge import judge

RAM = {
    "total": 4 << 30, "dirty-sync-count": 5, "page-size": 4096, "remaining": 78536704, "mbps": 1000,
    "transferred": 6900000000, "dirty-pages-rate": 20000, "normal": 1650000, "duplicate": 200000,
}  # fmt: skip
ANSWER = {"expected-downtime": 2086, "status": "active", "total-time": 60000, "ram": RAM}
PRETTY = json.dumps({"return": ANSWER}, indent=2)
BARE = json.dumps(ANSWER, indent=2)


def sample(text):
    (one,) = parse(text.encode()).samples
    return one


def from_line(text, words):
    lines = text.splitlines(keepends=True)
    return "".join(lines[next(n for n, line in enumerate(lines) if words in line) :])


@pytest.mark.parametrize("words", ["expected-downtime", "total-time", '"ram"'])
def test_a_reply_without_its_begin_is_one(words):
    for text in (from_line(BARE, words), f"it is stuck:\n{from_line(PRETTY, words)}\nwhat now?\n"):
        assert sample(text).ram == sample(BARE).ram


def test_a_part_of_one_is_one_where_it_tells_what_is_left():
    text = from_line(BARE, "dirty-sync-count").partition("}")[0]
    assert judge(parse(text.encode())).left_now_ms == pytest.approx(628.3, abs=0.1)


@pytest.mark.long
@pytest.mark.parametrize("text", [PRETTY, BARE, json.dumps({"return": ANSWER}), str({"return": ANSWER})])
def test_of_a_reply_without_its_end_no_figure_is_another_one(text):
    seen = 0
    for end in range(text.index("remaining"), len(text), 3):
        for behind in ("", "\nSo it never ends.\n"):
            try:
                told = sample(text[:end] + behind)
            except UsageError:
                continue
            assert told.ram.remaining_bytes == RAM["remaining"]
            assert told.ram.mbps in (1000, 0, RAM["transferred"] / 60000 / 125)
            assert {told.ram.sent_pages, told.ram.zero_pages} <= {0, 1650000, 200000, 1850000}
            seen += 1
    assert seen > 40


@pytest.mark.parametrize("dots", ["...", "\u2026"])
@pytest.mark.parametrize("text", [PRETTY, json.dumps({"return": ANSWER})])
def test_dots_are_what_somebody_left_out(text, dots):
    for begin, left_out in (("5,", f"5, {dots},"), ('{"total', f'{{{dots}, "total'), ("60000,", f"60000, {dots}")):
        assert sample(text.replace(begin, left_out)).ram.remaining_bytes == RAM["remaining"]


def test_what_is_below_a_reply_that_was_cut_off_is_read_as_well():
    text = (
        f"{PRETTY.partition('dirty-pages-rate')[0]}\n(qemu) info migrate\nMigration status: completed\ndowntime: 7 ms\n"
    )
    assert [one.status for one in parse(text.encode()).samples] == ["active", "completed"]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ('{"a": 1, "b": {"c": 2, "d": 34', {"a": 1, "b": {"c": 2}}),
        ('{"a": [1, 2', {"a": [1]}),
        ('{"a": "x, {y', {}),
        ('{"a": 1}}', None),
        ("]", None),
        ("", None),
        ("{'a': True, 'b", {"a": True}),
    ],
)
def test_an_object_is_closed_behind_its_last_whole_field(text, made):
    assert closed(text) == made


def test_what_is_nested_deep_is_none():
    assert closed("[" * 200_000) is None and parsed("[" * 200_000) is None
