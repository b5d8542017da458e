# SPDX-License-Identifier: GPL-2.0-or-later
"""A line may hold a whole recording, or megabytes of anything: it takes no longer to read than as many lines."""

import json
import time
from contextlib import suppress

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms import qmp
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.form import Line
from avocado_migdowntime.trace.reading import Reading

TIMES = 8
REPEATED = {
    "blanks": ("remaining ram A", " ", "B", 1000),
    "blanks between lines of a log": ("Migration running for 1 x", " ", "x Migration running for 2", 1000),
    "blanks between groups": ("Time (ms): ", " ", "x Others: remaining", 1000),
    "letters of a group": ("Time (ms): ", "a", " remaining", 1000),
    "letters of a job": ("Migration info for a: TimeElapsed:1ms ", "a", " remaining", 1000),
    "begun jobs": ("Migration info for ", "TimeElapsed:1ms ", " remaining", 1000),
    "begun ends": ("Migration Progress: ", "took ", " remaining", 4000),
    "begun ends of the engine's": ("", "Migration completed (VM: ", "", 7000),
    "VMware's": ("", "vmx ", "", 4000),
    "Incus'": ("", "Live migration: ", "", 12000),
    "oVirt's": ("", "vdsm ", "", 4000),
    "comments": ("", "<!---->", "x", 1000),
}
"""What a line begins with, what is in it again and again, how it ends, and how long the shorter one is."""
RAM = {"remaining": 1 << 20, "total": 1 << 30, "dirty-sync-count": 2}


class Counting:
    """Stands for a pattern that is found nowhere."""

    def __init__(self) -> None:
        self.searches = 0

    def search(self, text: str) -> None:
        assert text
        self.searches += 1


@pytest.mark.parametrize("pattern", ["_GUEST", "_LIBVIRT_LINE"])
def test_a_line_is_searched_once_however_many_answers_it_holds(pattern, monkeypatch):
    counting = Counting()
    monkeypatch.setattr(qmp, pattern, counting)
    answers = [{"return": {"status": "active", "ram": {**RAM, "normal": n}}} for n in range(500)]
    text = f"mon=0x7f1c JSONIOProcessLine: {json.dumps(answers)}"
    items = qmp.Qmp().take(Line(text, text, None))
    assert len([item for item in items if isinstance(item, Reading)]) == 500
    assert counting.searches == 1


def _took_s(text):
    """The least of what several readings took of a processor."""
    took = []
    for _ in range(2):
        before_s = time.process_time()
        with suppress(UsageError):
            parse(text.encode())
        took.append(time.process_time() - before_s)
    return min(took)


@pytest.mark.long
@pytest.mark.parametrize("parts", REPEATED.values(), ids=REPEATED)
def test_a_line_that_is_longer_takes_no_more_than_that_longer(parts):
    begins, again, ends, least_bytes = parts
    short, long = (f"{begins}{again * (times * least_bytes // len(again))}{ends}\n" for times in (1, TIMES))
    assert _took_s(long) < 3 * TIMES * _took_s(short)


@pytest.mark.parametrize(("length", "read"), [(100, 50), (1 << 19, 3), (1 << 20, 1), (1 << 21, 1)])
def test_of_a_long_line_few_of_what_ends_nowhere_is_read(length, read, monkeypatch):
    begun = []
    monkeypatch.setattr(qmp, "decoded", lambda text, begin: (begun.append(begin), (None, None))[1])
    text = "[" * length
    assert qmp.Qmp().take(Line(text, text)) is None
    assert begun == list(range(read))


@pytest.mark.long
@pytest.mark.parametrize(("length", "read"), [(50, 25), (1 << 18, 4), (1 << 19, 2), (1 << 20, 1)])
def test_of_a_long_line_few_of_what_ends_and_is_no_message_is_read(length, read, monkeypatch):
    begun, decoded = [], qmp.decoded
    monkeypatch.setattr(qmp, "decoded", lambda text, begin: (begun.append(begin), decoded(text, begin))[1])
    text = f"{'[' * (length // 2)}'no' no{']' * (length // 2)}."
    assert qmp.Qmp().take(Line(text, text)) is None
    assert begun == list(range(read))


def test_what_is_no_message_hides_none_behind_it():
    text = f"[{{no}}] {'[{no}] ' * 20}{'[]' * 20}{{'return': {{'status': 'active'}}}} {'x' * (1 << 21)}"
    assert qmp.Qmp().take(Line(text, text))
