# SPDX-License-Identifier: GPL-2.0-or-later
"""A line may hold a whole recording: reading it takes no longer than reading as many lines."""

import json

import pytest

from avocado_migdowntime.forms import qmp
from avocado_migdowntime.forms.form import Line
from avocado_migdowntime.trace.reading import Reading

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
    text = f"mon=0x7f1c {json.dumps(answers)}"
    items = qmp.Qmp().take(Line(text, text, None))
    assert len([item for item in items if isinstance(item, Reading)]) == 500
    assert counting.searches == 1
