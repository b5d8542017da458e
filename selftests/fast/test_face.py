# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts may rely on: which names there are, that they are what editors are told, and what importing costs."""

import ast
import doctest
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import avocado_migdowntime

from ..support.documents import TOP

HEAVY = {"numpy", "msgspec", "plotly", "matplotlib", "avocado", "jinja2", "qemu"}


def for_types():
    """The names that are imported for type checkers and editors, each with its module."""
    tree = ast.parse(Path(avocado_migdowntime.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(block.body) and all(node.level == 1 for node in imports)
    return {alias.name: node.module for node in imports for alias in node.names}


def imported_by(*lines):
    """The modules from outside Python's own library that a new process has imported after these lines."""
    program = "\n".join(
        [
            "import json, sys",
            "before = set(sys.modules)",
            *lines,
            "print(json.dumps(sorted(set(sys.modules) - before - sys.stdlib_module_names)))",
        ]
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, check=True)
    return {name for name in json.loads(ran.stdout) if name.split(".")[0] not in sys.stdlib_module_names}


def test_the_example_in_its_docstring_runs(monkeypatch):
    monkeypatch.chdir(TOP)
    assert doctest.testmod(avocado_migdowntime) == doctest.TestResults(0, 6)


@pytest.mark.parametrize(
    ("lines", "imported"),
    [
        (["import avocado_migdowntime"], {"avocado_migdowntime"}),
        (["import avocado_migdowntime", "dir(avocado_migdowntime)"], {"avocado_migdowntime"}),
        (["from avocado_migdowntime import UsageError"], {"avocado_migdowntime", "avocado_migdowntime.errors"}),
    ],
)
def test_importing_it_imports_nothing_else(lines, imported):
    assert imported_by(*lines) == imported


def test_what_is_asked_for_is_imported():
    """And neither Avocado nor what draws and connects."""
    tops = {name.split(".")[0] for name in imported_by("from avocado_migdowntime import *")}
    assert tops & HEAVY == {"numpy", "msgspec"} and "avocado_migdowntime" in tops


def test_what_editors_and_mypy_are_told_is_what_there_is():
    told = for_types()
    assert sorted(told) == avocado_migdowntime.__all__ == sorted(avocado_migdowntime.__all__)
    for name, module in told.items():
        there = getattr(import_module(f"avocado_migdowntime.{module}"), name)
        assert getattr(avocado_migdowntime, name) is there and there.__doc__
        assert there.__module__ == f"avocado_migdowntime.{module}"


def test_a_star_imports_these_names_and_no_other():
    names = {}
    exec("from avocado_migdowntime import *", names)
    assert names.keys() - {"__builtins__"} == set(avocado_migdowntime.__all__) <= set(dir(avocado_migdowntime))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'avocado_migdowntime' has no attribute 'reed'$"):
        _ = avocado_migdowntime.reed
    with pytest.raises(ImportError, match="cannot import name 'reed'"):
        from avocado_migdowntime import reed  # noqa: F401
