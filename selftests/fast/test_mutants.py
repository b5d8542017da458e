# SPDX-License-Identifier: GPL-2.0-or-later
"""The mutants that are accepted as survivors are of code that is there: all of them are tried but now and then."""

import ast
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "avocado_migdowntime"


@cache
def functions(room, file):
    """The lines of each function of a module, without their indentation, by its name."""
    text = (PACKAGE / room / f"{file}.py").read_text()
    lines, found = [line.strip() for line in text.splitlines()], {}
    for node in ast.parse(text).body:
        parts = {f"{node.name}.": node.body} if isinstance(node, ast.ClassDef) else {"": [node]}
        for prefix, body in parts.items():
            for one in body:
                if isinstance(one, ast.FunctionDef):
                    found[prefix + one.name] = " ".join(lines[one.lineno - 1 : one.end_lineno])
    return found


def source_of(name):
    room, file, function = name.split(".", 2)
    return functions(room, file).get(function, "")


def test_each_accepted_mutant_is_of_lines_that_are_there_and_is_accepted_once_with_why():
    entries = tomllib.loads((ROOT / "selftests/mutants.toml").read_text())["accepted"]
    assert [entry["function"] for entry in entries if entry["was"] not in source_of(entry["function"])] == []
    changes = [(entry["function"], entry["was"], becomes) for entry in entries for becomes in entry["becomes"]]
    assert len(set(changes)) == len(changes)
    assert all(entry["why"] and entry["was"] not in entry["becomes"] for entry in entries)
