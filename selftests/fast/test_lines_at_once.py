# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines with figures of a long log that are read many at once come to what they come to line by line."""

import pytest

from avocado_migdowntime.forms.file import parse

from ..support import figure_logs
from ..support.figure_logs import FORMS
from ..support.long_logs import at_once, line_by_line, outcome

COUNT = 60
FIRST = 4
"""So many at most are read until it is known what of a product's lines means what."""


@pytest.mark.parametrize("seed", [5, 11, 27, 31])
def test_any_log_is_read_at_once_as_it_is_line_by_line(seed):
    data = figure_logs.log(seed, 100)
    assert outcome(parse, data) == outcome(line_by_line, data)


@pytest.mark.parametrize("form", FORMS, ids=[form.__name__ for form in FORMS])
def test_lines_of_a_product_are_read_at_once_but_for_the_first_and_the_last(form):
    data = figure_logs.plain(form, COUNT)
    assert outcome(parse, data) == outcome(line_by_line, data)
    assert at_once(data) >= COUNT - FIRST
