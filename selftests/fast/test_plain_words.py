# SPDX-License-Identifier: GPL-2.0-or-later
"""What users read is in plain words: none of those that had to be read twice comes back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.documents import DOCUMENTS, TOP

INSTEAD = {
    r"\bright is\b": "expected",
    r"\bmend(s|ed|ing)?\b(?!`)": "fix",
    r"\bfor ever\b": "forever",
    r"\botherwise than\b": "differently from",
    r"\bat no cost\b": "safe to run again",
    r"\bheld to the first\b": "compared with the first",
    r"\bor the other way round\b": "say both",
    r"\bpassed over\b": "skipped",
    r"\brests? on\b": "based on",
    r"\bit is learnt\b": "show",
    r"\bmoods?\b": "noise",
    r"\bnone is promised\b": "conservative",
    r"\bleft open\b": "undecided",
    r"\bWho wants\b": "To …,",
    r"\bmet alike\b": "affect equally",
    r"\bof this kind\b": "unsupported",
    r"\bwhich is to say\b": "say it once",
    r"\bof that(?=[;.,:]|$)": "name it",
    r"(?<!there )\b(is|are) no (JSON|list|object|text|socket|URI|directory|QMP)\b": "is not a …",
    r"\bsingle snapshot\b": "single sample",
    r"\bperhaps torn\b": "may not belong together",
    r"\bonly about right\b": "estimated",
    r"\bheld against\b": "compared with",
    r"\bis not to be trusted\b": "cannot be trusted",
    r"\bwhich is no\b": "expected …",
    r"\b[ai]n? ?(the|its|whose) midst\b|\bamidst\b": "in the middle of, in mid-pass",
    r"\b[Ww]hat came of\b": "the result of",
    r"\bbeside each other\b": "side by side, in parallel",
    r"\bthe (pass|sample|limit) before\b(?! \d)": "the previous …",
    r"\b(a|of|an|no) (\w+ )?of (QEMU|Python|Nova|KubeVirt|oVirt|Xen|VMware)'s\b(?!\s+[\w-])": "a QEMU …",
    r"\brenew(s|ed|al)?\b(?!`)": "update",
    r"\blesser|\blest\b": "so that … not",
    r"\bWho (is|has|may|would)\b": "somebody who, or say if",
}
"""Words that stopped readers, and what says it plainly."""
IN_MESSAGES = INSTEAD | {
    r"\bof which\b": "with … of it, or two sentences",
    r"\bwith which no\b": "that no …",
    r"\bto be had\b": "available",
    r"\b(give|gives|given|gave) back\b": "release",
    r"\bmay not be opened\b": "cannot be opened",
    r"\bso many times\b": "FACTOR times",
    r"\bis late by\b": "is … late",
    r"\bis there already;": "exists already",
    r"\bsays of no\b": "no … was seen",
    r"\bknows of no\b": "computes no",
    r"\btells? (no|nothing|of)\b": "report, show, name",
    r"\b(cannot|can) be had\b": "cannot be opened, is missing",
    r"\bcould not be told\b": "was unknown",
    r"\b(what|was) (came|comes|became) of\b": "the result of",
    r"\btaken apart\b": "split",
    r"\bgo on by\b": "continue with",
    r"\bheld to\b": "has to follow",
    r"\bis told\b": "is shown",
    r"\breport is not below\b": "at least",
    r"\bnone matters\b": "whatever",
    r"\b(single|one) look\b": "one sample",
    r"\bthe (pass|sample) before\b": "the previous …",
    r"\bas (none|no QEMU|those from .*) (does|do)\b": "which no QEMU does, as QEMU … and later do",
    r"\bfrom \d+\.\d on\b": "or later",
    r"\bto spare\b": "free",
    r"\bin a circle\b": "loop",
    r"\bhung up\b": "closed the connection",
    r"\bno word of\b": "no",
    r"\bright one\b": "correct one",
    r"\bbegins no\b": "matches no",
    r"\bwhat \S+ gives\b": "matches …",
    r"\bnothing is predicted (now|any)\b": "QEMU predicts nothing",
    r"\bit works as\b": "effective limit",
    r"\bthat was set\"?$": "the present …",
    r"\bless in fact\b": "in fact less",
    r"\bsay which\b": "name a",
    r"\bcomes? on top\b": "has to be sent as well",
    r"\bcarry no\b": "show no",
    r"\btaken as\b": "estimated",
    r"\bas large$": "that large",
    r"\btakes the package\b": "needs the package",
    r"\btraces?\b": "recording",
}
"""The same, and what only a message must not say."""
IN_DOCSTRINGS = {
    r"\b[Ww]hat (came|comes|became) of\b": "the result of",
    r"\b(is|are) (not )?to be had\b": "is missing, is available",
    r"\b(can|cannot) be had\b": "is missing, is available",
    r"\bof (which|whom) (that|it) is known\b": "whose … is known",
    r"\botherwise than\b": "differently from",
}
"""What even somebody who reads the code must not have to read twice."""
USERS = [*DOCUMENTS, TOP / "CONTRIBUTING.md", TOP / "images/README.md"]
"""The changelog has to name what is gone."""


@pytest.mark.parametrize("document", USERS, ids=lambda path: path.name)
def test_a_document_is_in_plain_words(document: Path) -> None:
    assert list(_found(document.read_text())) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_calls_a_recording_has_no_second_name(document: Path) -> None:
    # The class and the file of a test have the name that scripts know.
    assert list(_found(_prose(document.read_text()), {r"\b[Tt]races?\b": "recording"})) == []


@pytest.mark.long
def test_the_messages_of_each_module_are_in_plain_words() -> None:
    modules = sorted((TOP / "avocado_migdowntime").rglob("*.py"))
    texts = [(module.name, text) for module in modules for text in _messages(module.read_text())]
    assert len({name for name, _ in texts}) > 100
    assert [(name, found) for name, text in texts for found in _found(text, IN_MESSAGES)] == []


@pytest.mark.long
def test_docstrings_are_not_stiff() -> None:
    modules = sorted((TOP / "avocado_migdowntime").rglob("*.py"))
    texts = [(module.name, text) for module in modules for text in _docstrings(module.read_text())]
    assert len(texts) > 1000
    assert [(name, found) for name, text in texts for found in _found(text, IN_DOCSTRINGS)] == []


def test_words_that_stop_a_reader_are_found_in_messages_only() -> None:
    source = '"""A table that rests on others."""\nWHY = "mend it"\nNAME = f"{WHY} for ever"\nFIELD = "mend"\n'
    assert [list(_found(text)) for text in _messages(source)] == [["mend: fix"], ["for ever: forever"]]


def _prose(text: str) -> str:
    """The text without its blocks of code and what is quoted as code."""
    return re.sub(r"^```.*?^```|`[^`]+`", "", text, flags=re.MULTILINE | re.DOTALL)


def _found(text: str, plainly: dict[str, str] = INSTEAD) -> Iterator[str]:
    for pattern, instead in plainly.items():
        for match in re.finditer(pattern, text):
            yield f"{match[0]}: {instead}"


def _docstrings(source: str) -> Iterator[str]:
    """The docstrings in a module, and the texts that explain its constants, each in one line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield " ".join(node.value.value.split())


def _messages(source: str) -> Iterator[str]:
    """The texts in a module that hold more than a word, without its docstrings."""
    nodes = [*ast.walk(ast.parse(source))]
    said = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if text and id(node) not in said and " " in node.value:
            yield node.value
