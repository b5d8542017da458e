# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds in a module's source, without running it, what a computation does not need."""

import ast
from collections.abc import Iterable, Iterator

import grimp

_BUILTINS = frozenset({"__import__", "breakpoint", "compile", "eval", "exec", "input", "open", "print"})
_NUMPY = frozenset({"DataSource", "fromfile", "genfromtxt", "load", "loadtxt", "memmap", "random", "save", "savetxt"})


def deeds(source: str) -> Iterator[str]:
    """Builtins that reach outside or run text as code, files accessed by numpy, and random numbers."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) if name in _BUILTINS:
                yield name
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name) if name in _NUMPY:
                yield f"numpy.{name}"
            case ast.ImportFrom(module="numpy", names=names):
                yield from (f"numpy.{each.name}" for each in names if each.name in _NUMPY)


def strangers(graph: grimp.ImportGraph, modules: Iterable[str], allowed: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Each of the `modules` with its imports, anywhere in it, that are neither among them nor `allowed`."""
    own = set(modules)
    for module in sorted(own):
        for imported in sorted(graph.find_modules_directly_imported_by(module) - own - allowed):
            yield module, imported
