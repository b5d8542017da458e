# SPDX-License-Identifier: GPL-2.0-or-later
"""What there is to choose from, each with a line on what it is, read from where it is made."""

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..basics.resources import directory, packaged_tests
from ..oracle.formulas import FORMULAS
from ..parameters.table import PATTERNS, describe
from ..verdict.codes import CODES
from . import json_fields as meanings


@dataclass(frozen=True)
class Entry:
    """A thing by the name that a command line takes; `default` is a parameter's."""

    name: str
    meaning: str
    default: str | None = None


def tests() -> tuple[Entry, ...]:
    """The packaged tests, by the reference that `avocado run` takes: what each asks."""
    return tuple(Entry(f"migdowntime:{name}", _asks(path)) for name, path in packaged_tests().items())


def variants() -> tuple[Entry, ...]:
    """The packaged trees of variants, for `-m`: how each begins."""
    return tuple(Entry(path.stem, _begins(path)) for path in sorted(directory("variants").glob("*.yaml")))


def workloads() -> tuple[Entry, ...]:
    """The orders in which a guest dirties its memory, for `pattern`."""
    return tuple(Entry(name, meaning) for name, meaning in PATTERNS.items())


def formulas() -> tuple[Entry, ...]:
    """The contracts that QEMU can be held to, for `formula`."""
    return tuple(Entry(name, _first_line(inspect.getdoc(function))) for name, function in FORMULAS.items())


def parameters() -> tuple[Entry, ...]:
    """What a test can be told."""
    return tuple(Entry(row.name, row.meaning, row.default) for row in describe())


def _fields(meaning_of: Mapping[str, str]) -> Callable[[], tuple[Entry, ...]]:
    """JSON fields, of what `meanings` says for each of these."""
    return lambda: tuple(Entry(name, meaning) for name, meaning in meaning_of.items())


def _codes() -> tuple[Entry, ...]:
    """Codes of a verdict's checks, each behind the name of its check."""
    return tuple(Entry(f"{name}.{code}", meaning) for name, codes in CODES.items() for code, meaning in codes.items())


KINDS: Mapping[str, Callable[[], tuple[Entry, ...]]] = {
    "tests": tests,
    "variants": variants,
    "workloads": workloads,
    "formulas": formulas,
    "parameters": parameters,
    "verdict-fields": _fields(meanings.VERDICT),
    "codes": _codes,
    "advice-fields": _fields(meanings.ADVICE),
    "doctor-fields": _fields(meanings.DOCTOR),
    "qemu-fields": _fields(meanings.QEMU),
}


def _asks(path: Path) -> str:
    return _first_line(ast.get_docstring(ast.parse(path.read_bytes())))


def _begins(path: Path) -> str:
    """The first sentence of the comments below the licence."""
    words = " ".join(line[1:].strip() for line in path.read_text().splitlines()[1:] if line.startswith("#"))
    return words.partition(". ")[0].rstrip(".")


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]
