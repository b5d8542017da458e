# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the tests in a Python file without importing it.

Avocado's own finder follows imports only through sys.path. It misses tests whose base class comes from an editable
install. This finder needs only an import of the base class by its name.
"""

import ast
from pathlib import Path

from avocado.core.safeloader.docstring import get_docstring_directives_tags

BASE_MODULE = "avocado_migdowntime.avocado_test"

Tags = dict[str, set[str] | None]
"""Tags in Avocado's format: plain tags have no values; `arch:ppc64` is a value of `arch`."""


def tests_in(path: Path) -> dict[str, Tags]:
    """Map `Class.method` of each test to its tags: the method's, its class's and the base class's.

    Only classes that derive from the base class count. A file that is not valid Python has no tests.
    """
    source = path.read_bytes()
    if BASE_MODULE.encode() not in source:
        return {}
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return {}
    bases: dict[str, Tags] = {
        alias.asname or alias.name: {}
        for node in body
        if isinstance(node, ast.ImportFrom) and node.module == BASE_MODULE
        for alias in node.names
    }
    tags_by_test: dict[str, Tags] = {}
    for node in body:
        parents = [b.id for b in getattr(node, "bases", ()) if isinstance(b, ast.Name) and b.id in bases]
        if isinstance(node, ast.ClassDef) and parents:
            bases[node.name] = merged(*(bases[parent] for parent in parents), _own(node))
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name.startswith("test"):
                    tags_by_test[f"{node.name}.{method.name}"] = merged(bases[node.name], _own(method))
    return tags_by_test


def merged(*several: Tags) -> Tags:
    """All the tags, each with all of its values."""
    together: Tags = {}
    for tags in several:
        for name, values in tags.items():
            together[name] = (together.get(name) or set()) | values if values else together.get(name)
    return together


def _own(node: ast.ClassDef | ast.FunctionDef) -> Tags:
    tags: Tags = get_docstring_directives_tags(ast.get_docstring(node))
    return tags
