# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts of others reach no terminal, page or file in a form on which anything would act."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avocado_migdowntime.basics.printable import in_a_line, in_lines, printable, quoted

from ..support.purity import deeds

CLI = Path(__file__).parents[2] / "avocado_migdowntime" / "cli"
ANY_TEXT = st.text(st.characters())
"""Lone surrogates, control characters and all."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("QEMU said ±3.5 s, “über” 日本", "QEMU said ±3.5 s, “über” 日本"),
        ("a\nverdict    ACCURATE", "a\\nverdict    ACCURATE"),
        ("\x1b[2J\x9b1m\x07\x7f\r", "\\x1b[2J\\x9b1m\\x07\\x7f\\r"),
        ("a\u202eb\u2066\u200f\u2028", "a\\u202eb\\u2066\\u200f\\u2028"),
        ("a\udcffb\ud800c", "a\\udcffb\\ud800c"),
    ],
)
def test_what_is_acted_on_is_shown(text, shown):
    assert in_a_line(text) == shown


def test_lines_stay_where_they_are_meant():
    assert in_lines("a\x1b\nb\r\n") == "a\\x1b\nb\\r\n"


@given(ANY_TEXT)
def test_whatever_comes_is_one_line_that_can_be_encoded(text):
    shown = in_a_line(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert shown.encode().decode() == shown


@given(st.recursive(ANY_TEXT, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner)))
def test_of_json_all_texts_are(value):
    shown = json.dumps(printable(value), ensure_ascii=False)
    assert shown.isprintable()


def test_what_is_nested_without_end_is_left_out():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    assert json.dumps(printable(nested)).count("[") == 50


@pytest.mark.parametrize("path", sorted(CLI.glob("*.py")), ids=lambda path: path.name)
def test_commands_print_by_what_sees_to_that(path):
    allowed = {"output.py": 3}
    assert list(deeds(path.read_text())).count("print") == allowed.get(path.name, 0)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\nb", repr("a\nb")),
        ("x" * 118, repr("x" * 118)),
        ("x" * 119, f"'{'x' * 57}...{'x' * 58}'"),
        ({"a": [1, {"b": [{"c": 2}]}]}, "{'a': [1, {'b': [{...}]}]}"),
        ([["x" * 119] * 6] * 6, "[['xxx"),
        (10**4000, "100000000000000000...0000000000000000000"),
        ([10**5000], "[a number of thousands of digits]"),
    ],
)
def test_a_quoted_value_fits_into_a_sentence(value, shown):
    assert quoted(value).startswith(shown) and len(quoted(value)) <= 243
    assert quoted(value).endswith("..." if len(quoted(value)) == 243 else shown)
