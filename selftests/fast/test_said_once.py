# SPDX-License-Identifier: GPL-2.0-or-later
"""No page of docs/ repeats another or itself: a reader has to read it once, and one place has to be kept true."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from ..support.documents import TOP

MADE = {"commands", "faults", "features", "reference", "versions"}
"""Pages that are made of the code or by runs."""
PAGES = {path.stem: path.read_text() for path in sorted((TOP / "docs").glob("*.md")) if path.stem not in MADE}
IN_A_ROW = 9
"""So many words in a row are no accident."""


IN_A_PAGE = 12
"""So many, where they stand in one page outside its tables."""


def _words(text: str) -> list[str]:
    """The words, but for blocks of code: one that is to be copied is whole."""
    return re.findall(r"[\w'.=/-]+", re.sub(r"^( *)```.*?^\1```", " ", text, flags=re.MULTILINE | re.DOTALL).lower())


def _in_a_row(words: Sequence[str], count: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + count]) for start in range(len(words) - count + 1)]


def _runs(text: str) -> set[tuple[str, ...]]:
    return set(_in_a_row(_words(text), IN_A_ROW))


def _twice(text: str) -> set[str]:
    """What stands twice in a page."""
    runs = Counter(_in_a_row(_words(re.sub(r"^\|.*", "", text, flags=re.MULTILINE)), IN_A_PAGE))
    return {" ".join(run) for run, times in runs.items() if times > 1}


def test_no_two_pages_have_a_sentence_in_common():
    runs = {name: _runs(text) for name, text in PAGES.items()}
    pairs = [(one, other, " ".join(run)) for one, other in combinations(PAGES, 2) for run in runs[one] & runs[other]]
    assert sorted(pairs) == [] and len(runs) > 10


def test_no_page_says_a_sentence_twice():
    assert {name: twice for name, text in PAGES.items() if (twice := _twice(text))} == {}


def test_a_sentence_that_stands_twice_is_found():
    sentence = "what is left at a sync can be sent within the limit"
    assert _runs(f"It ends when {sentence}.") & _runs(f"| {sentence} |")
    assert not _runs(f"```\n{sentence}\n```") and len(_runs(sentence)) == 4
    assert _twice(f"{sentence} and {sentence}") == {sentence}
    assert not _twice(f"| {sentence} |\n| {sentence} |\n") and not _twice(sentence)
