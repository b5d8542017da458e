# SPDX-License-Identifier: GPL-2.0-or-later
"""What is looked for in a text before its pattern is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.forms.foreign_texts import BARE_TEXTS, ONLY_WITH, TEXTS

PATTERNS = {foreign.what: pattern for pattern, foreign in (*TEXTS, *BARE_TEXTS)}


@pytest.mark.parametrize("what", ONLY_WITH)
@given(data=st.data())
def test_whatever_a_pattern_fits_has_one_of_its_words(what, data):
    text = data.draw(st.from_regex(PATTERNS[what]))
    assert any(word in text for word in ONLY_WITH[what])
