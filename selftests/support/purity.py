# SPDX-License-Identifier: GPL-2.0-or-later
"""What a module does that a computation has no need of, found in its source without running it."""

import ast
from collections.abc import Iterable, Iterator

import grimp

_BUILTINS = frozenset({"__import__", "breakpoint", "compile", "eval", "exec", "input", "open", "print"})
_NUMPY = frozenset({"DataSource", "fromfile", "genfromtxt", "load", "loadtxt", "memmap", "random", "save", "savetxt"})


def deeds(source: str) -> Iterator[str]:
    """Builtins that reach outside or run text as code, files by way of numpy, and numbers that are drawn."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) if name in _BUILTINS:
                yield name
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name) if name in _NUMPY:
                yield f"numpy.{name}"
            case ast.ImportFrom(module="numpy", names=names):
                yield from (f"numpy.{each.name}" for each in names if each.name in _NUMPY)


def strangers(graph: grimp.ImportGraph, modules: Iterable[str], allowed: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Each of the `modules` with what it imports, at any place, that is neither one of them nor `allowed`."""
    own = set(modules)
    for module in sorted(own):
        for imported in sorted(graph.find_modules_directly_imported_by(module) - own - allowed):
            yield module, imported
