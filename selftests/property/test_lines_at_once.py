# SPDX-License-Identifier: GPL-2.0-or-later
"""Any long log, of lines that are alike and others, whole or damaged, is read at once as it is line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.forms.file import parse

from ..support import figure_logs, reply_logs
from ..support.examples import examples
from ..support.long_logs import line_by_line, outcome

seeds = st.integers(0, 1 << 32)
shares = st.sampled_from([0.0, 0.01, 0.1])


@pytest.mark.long
@examples(30)
@given(seeds, shares)
def test_lines_of_products(seed, odd):
    data = figure_logs.log(seed, 80, odd)
    assert outcome(parse, data) == outcome(line_by_line, data)


@pytest.mark.long
@examples(30)
@given(seeds, shares)
def test_replies(seed, odd):
    data = reply_logs.log(seed, 80, odd)
    assert outcome(parse, data) == outcome(line_by_line, data)
