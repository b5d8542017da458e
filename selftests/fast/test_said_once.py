# SPDX-License-Identifier: GPL-2.0-or-later
"""No page of docs/ says what another page says: a reader who has read it goes on, and one place has to be kept true."""

import re
from itertools import combinations

from ..support.documents import TOP

MADE = {"commands", "faults", "features", "reference", "versions"}
"""Pages that are made of the code or by runs."""
PAGES = {path.stem: path.read_text() for path in sorted((TOP / "docs").glob("*.md")) if path.stem not in MADE}
IN_A_ROW = 9
"""So many words in a row are no accident."""


def _runs(text: str) -> set[tuple[str, ...]]:
    """Words in a row, but for blocks of code: one that is to be copied is whole."""
    words = re.findall(r"[\w'.=/-]+", re.sub(r"^( *)```.*?^\1```", " ", text, flags=re.MULTILINE | re.DOTALL).lower())
    return {tuple(words[start : start + IN_A_ROW]) for start in range(len(words) - IN_A_ROW + 1)}


def test_no_two_pages_have_a_sentence_in_common():
    runs = {name: _runs(text) for name, text in PAGES.items()}
    pairs = [(one, other, " ".join(run)) for one, other in combinations(PAGES, 2) for run in runs[one] & runs[other]]
    assert sorted(pairs) == [] and len(runs) > 10


def test_a_sentence_that_stands_twice_is_found():
    sentence = "what is left at a sync can be sent within the limit"
    assert _runs(f"It ends when {sentence}.") & _runs(f"| {sentence} |")
    assert not _runs(f"```\n{sentence}\n```") and len(_runs(sentence)) == 4
