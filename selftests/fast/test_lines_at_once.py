# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines with figures of a long log that are read many at once come to what they come to line by line."""

import re

import pytest

from avocado_migdowntime.forms import alike
from avocado_migdowntime.forms.file import parse

from ..support import figure_logs, product_logs
from ..support.long_logs import at_once, line_by_line, outcome
from ..support.product_logs import EACH

COUNT = 60
FIRST = 4
"""So many at most are read until it is known what of a product's lines means what."""


@pytest.mark.parametrize("seed", [5, 11, 27, 31])
def test_any_log_is_read_at_once_as_it_is_line_by_line(seed):
    data = figure_logs.log(seed, 100)
    assert outcome(parse, data) == outcome(line_by_line, data)


@pytest.mark.parametrize("form", EACH, ids=[form.__name__ for form in EACH])
def test_lines_of_a_product_are_read_at_once_but_for_the_first_and_the_last(form):
    data = figure_logs.plain(form, COUNT)
    assert outcome(parse, data) == outcome(line_by_line, data)
    assert at_once(data) >= COUNT - FIRST


@pytest.mark.parametrize("total_mib", [2**44 - 1, 2**44 + 1])
@pytest.mark.parametrize("form", [product_logs.kubevirt, product_logs.vdsm_mib])
def test_more_bytes_than_any_counter_counts_are_what_they_are_line_by_line(form, total_mib):
    data = figure_logs.plain(form, COUNT)
    [_, *some, _] = re.findall(rb".*[Tt]otal.*\n", data)
    middle = some[len(some) // 2]
    changed = data.replace(middle, re.sub(rb"([Tt]otal(?: data)?: ?)\d+", rb"\g<1>%d" % total_mib, middle))
    assert outcome(parse, changed) == outcome(line_by_line, changed) and changed != data
    assert at_once(changed) >= COUNT - FIRST


def _by_turns(guests, count):
    """A log in which so many guests are migrated at a time, a line of one after that of another."""
    plain = figure_logs.plain(product_logs.nova, count).decode()
    lines = [
        line.replace(product_logs.GUEST, f"{guest:036x}") if product_logs.GUEST in line else line
        for line in plain.splitlines(keepends=True)
        for guest in (range(guests) if product_logs.GUEST in line else [0])
    ]
    return "".join(lines).encode()


def test_lines_of_many_guests_are_read_at_once():
    data = _by_turns(30, 6)
    assert at_once(data) >= 30 * (6 - FIRST)
    assert outcome(parse, data) == outcome(line_by_line, data)


def test_where_hardly_a_line_is_as_others_few_templates_are_made(monkeypatch):
    made = []
    template_of = alike.template_of
    monkeypatch.setattr(alike, "template_of", lambda *line: made.append(line) or template_of(*line))
    parse(_by_turns(100, 4))
    assert 0 < len(made) < 100 * 4 / 2
