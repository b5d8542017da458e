# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies of a long log that are read many at once come to what they come to line by line."""

import json

import pytest

from avocado_migdowntime.forms.file import parse

from ..support import reply_logs
from ..support.long_logs import at_once, line_by_line, outcome, told
from ..support.reply_logs import AGAIN, AVOCADO, BARE, FIRST_LINES, LIBVIRT, NOISE, ODD, TWICE

COUNT = 60


def log(head, answers=None, between=(), step_ms=50):
    """A log of COUNT replies, 50 ms apart, behind a head, or of these answers, with these lines in its middle."""
    lines = [NOISE[0]] * FIRST_LINES
    for number, answer in enumerate(answers or map(reply, range(COUNT))):
        text = str({"return": answer}) if head == AVOCADO else json.dumps({"return": answer})
        lines += between if number == COUNT // 2 else ()
        at = f"2024-05-12 12:00:{number * step_ms // 1000:02}.{number * step_ms % 1000:03}"
        lines.append(head.format(at=at, guest="0x7f", text=text))
    return "\n".join([*lines, ""]).encode()


def reply(number, **odd):
    """An answer, 50 ms after the one before."""
    ram = {
        "total": 1 << 30, "remaining": (1 << 29) - 4096 * number, "page-size": 4096, "normal": number, "duplicate": 0,
        "dirty-sync-count": 1, "dirty-pages-rate": 0, "mbps": 0.66, "transferred": 4096 * number,
    }  # fmt: skip
    return {"status": "active", "total-time": 50 * number, "expected-downtime": 300, "ram": ram, **odd}


@pytest.mark.parametrize("seed", [3, 19, 23, 32, 50, 51])
def test_any_log_is_read_at_once_as_it_is_line_by_line(seed):
    data = reply_logs.log(seed, 100, odd=0.05)
    assert told(parse(data)) == told(line_by_line(data))


@pytest.mark.parametrize("head", [LIBVIRT, TWICE, AGAIN, AVOCADO, BARE])
def test_replies_behind_the_same_head_are_read_at_once_but_for_the_first_and_the_last(head):
    data = log(head)
    assert at_once(data) == COUNT - 2
    assert told(parse(data)) == told(line_by_line(data))
    assert len(parse(data).samples) == COUNT


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_reply_that_is_not_plain_is_read_by_itself(odd):
    answers = [reply(number, **(odd if number == COUNT // 2 else {})) for number in range(COUNT)]
    data = log(LIBVIRT, answers)
    assert told(parse(data)) == told(line_by_line(data))


@pytest.mark.parametrize(
    "figure",
    [{"normal": 1.5}, {"remaining": 2**60}, {"remaining": 2**53, "total": 2**54}, {"mbps": -1}, {"page-size": 0}],
)
def test_a_figure_that_is_not_plain_is_what_it_is_line_by_line(figure):
    answers = [reply(number) for number in range(COUNT)]
    answers[COUNT // 2]["ram"] |= figure
    assert outcome(parse, log(BARE, answers)) == outcome(line_by_line, log(BARE, answers))


@pytest.mark.parametrize("between", [*NOISE[1:], "unknown"])
def test_what_comes_between_is_told_where_it_was(between):
    seconds = 1_715_515_200
    line = between.format(at="2024-05-12 12:00:01.450", guest="0x7f", seconds=seconds)
    data = log(LIBVIRT, between=[line])
    assert told(parse(data)) == told(line_by_line(data))


def test_the_same_reply_again_in_a_moment_is_one_and_later_it_is_another():
    still = [reply(min(number, 30)) for number in range(COUNT)]
    data = log(LIBVIRT, still)
    assert told(parse(data)) == told(line_by_line(data))


def test_libvirts_two_copies_of_the_same_reply_later_are_read_at_once():
    still = [reply(min(number, 30)) for number in range(COUNT)]
    data = log(TWICE, still, step_ms=60)
    assert at_once(data) == len(parse(data).samples) - 2 == COUNT - 2
    assert told(parse(data)) == told(line_by_line(data))


def test_another_migration_begins_where_the_total_time_does():
    again = [reply(number % 40) for number in range(COUNT)]
    data = log(BARE, again)
    assert len(parse(data).samples) == COUNT - 40
    assert told(parse(data)) == told(line_by_line(data))


@pytest.mark.long
@pytest.mark.parametrize("nested", ["[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000])
def test_a_reply_that_is_nested_without_end_is_what_it_is_line_by_line(nested):
    data = log(BARE).replace(b'"dirty-sync-count": 1', f'"deep": {nested}, "dirty-sync-count": 1'.encode(), 1)
    assert outcome(parse, data) == outcome(line_by_line, data)
