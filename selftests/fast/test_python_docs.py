# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/python.md is true: its examples run, and it tells of each name that scripts may rely on."""

import doctest
import re

import avocado_migdowntime
from avocado_migdowntime.prediction.advice import Finding
from avocado_migdowntime.verdict.check import Outcome
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.documents import README, TOP

PAGE = TOP / "docs" / "python.md"


def examples(text):
    """All of them as one, so that each goes on where the one before ended; lines keep their numbers."""
    code, lines = False, []
    for line in text.splitlines():
        fence = line.startswith("```")
        lines.append(line if code and not fence else "")
        code = line == "```pycon" if fence else code
    return doctest.DocTestParser().get_doctest("\n".join(lines), {}, PAGE.name, str(PAGE), 0)


def test_each_example_gives_what_is_shown(monkeypatch):
    monkeypatch.chdir(TOP)
    said = []
    runner = doctest.DocTestRunner(verbose=False)
    outcome = runner.run(examples(PAGE.read_text()), out=said.append)
    assert not outcome.failed, "".join(said)
    assert outcome.attempted == PAGE.read_text().count("\n>>> ") >= 40


def test_an_example_that_gives_something_else_would_be_noticed():
    page = "```pycon\n>>> 1 + 1\n3\n```\n\n```pycon\n>>> 2\n2\n```\n"
    outcome = doctest.DocTestRunner(verbose=False).run(examples(page), out=lambda _: None)
    assert (outcome.failed, outcome.attempted) == (1, 2)


def test_no_code_on_the_page_is_left_out():
    fences = re.findall(r"^```(\w*)$", PAGE.read_text(), re.MULTILINE)
    opened = fences[::2]
    assert opened.count("") == 1 and set(opened) == {"pycon", ""}  # The errors' tree is no code.


def test_each_name_that_scripts_may_rely_on_is_told():
    text = PAGE.read_text()
    assert [name for name in avocado_migdowntime.__all__ if not re.search(rf"\b{name}\b", text)] == []


def test_each_word_that_a_script_may_compare_with_is_told():
    text = PAGE.read_text()
    assert all(f"`{word}`" in text for word in (*Judgement, *Finding))
    assert all(f"`Outcome.{outcome.name}`" in text for outcome in Outcome)


def test_the_readme_leads_to_it():
    assert "(docs/python.md)" in README.read_text()
