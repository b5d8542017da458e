# SPDX-License-Identifier: GPL-2.0-or-later
"""Which tests a Python file holds, without importing it.

Avocado's own finder follows imports through sys.path only, and so misses tests whose base comes from an editable
install; this one needs no more than the import of the base by its name.
"""

import ast
from pathlib import Path

from avocado.core.safeloader.docstring import get_docstring_directives_tags

BASE_MODULE = "avocado_migdowntime.avocado_test"

Tags = dict[str, set[str] | None]
"""Avocado's tags: plain ones have no values, `arch:ppc64` is a value of `arch`."""


def tests_in(path: Path) -> dict[str, Tags]:
    """`Class.method` for each test of the classes that derive from the base, and the tags of both and of that base.

    A file that is no Python has none.
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
    """The tags of all, with all of their values."""
    together: Tags = {}
    for tags in several:
        for name, values in tags.items():
            together[name] = (together.get(name) or set()) | values if values else together.get(name)
    return together


def _own(node: ast.ClassDef | ast.FunctionDef) -> Tags:
    tags: Tags = get_docstring_directives_tags(ast.get_docstring(node))
    return tags
