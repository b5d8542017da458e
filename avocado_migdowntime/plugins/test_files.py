# SPDX-License-Identifier: GPL-2.0-or-later
"""Which tests a Python file holds, without importing it.

Avocado's own finder follows imports through sys.path only, and so misses tests whose base comes from an editable
install; this one needs no more than the import of the base by its name.
"""

import ast
from pathlib import Path

from ..resources import directory

BASE_MODULE = "avocado_migdowntime.avocado_test"


def packaged() -> dict[str, Path]:
    """The files of the tests that travel with the package, by the test's name."""
    return {path.stem.replace("_", "-"): path for path in sorted(directory("tests").glob("*.py")) if tests_in(path)}


def tests_in(path: Path) -> list[str]:
    """`Class.method` for each test of the classes that derive from the base; none for a file that is no Python."""
    source = path.read_bytes()
    if BASE_MODULE.encode() not in source:
        return []
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return []
    bases = {
        alias.asname or alias.name
        for node in body
        if isinstance(node, ast.ImportFrom) and node.module == BASE_MODULE
        for alias in node.names
    }
    found = []
    for node in body:
        if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id in bases for b in node.bases):
            bases.add(node.name)
            found += [
                f"{node.name}.{method.name}"
                for method in node.body
                if isinstance(method, ast.FunctionDef) and method.name.startswith("test")
            ]
    return found
