# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user can choose from: each entry with one line from its definition, as text and as JSON."""

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..basics.resources import directory, packaged_tests
from ..oracle.formulas import FORMULAS
from ..parameters.capabilities import CAPABILITIES
from ..parameters.migrate_parameters import MIGRATE_PARAMETERS
from ..parameters.table import PATTERNS, describe
from ..verdict.codes import CODES
from . import json_fields
from .metric_names import METRICS


@dataclass(frozen=True)
class Entry:
    """An entry, by its name on the command line; only a parameter has a `default`."""

    name: str
    meaning: str
    default: str | None = None


def tests() -> tuple[Entry, ...]:
    """The packaged tests by their references for `avocado run`, with the questions they answer."""
    return tuple(Entry(f"migdowntime:{name}", _asks(path)) for name, path in packaged_tests().items())


def variants() -> tuple[Entry, ...]:
    """The packaged trees of variants for `-m`, with the first sentence of their comments."""
    return tuple(Entry(path.stem, _begins(path)) for path in sorted(directory("variants").glob("*.yaml")))


def workloads() -> tuple[Entry, ...]:
    """The orders in which a guest can dirty its memory, for `pattern`."""
    return tuple(Entry(name, meaning) for name, meaning in PATTERNS.items())


def formulas() -> tuple[Entry, ...]:
    """The formulas that a test can demand of QEMU, for `formula`."""
    return tuple(Entry(name, _first_line(inspect.getdoc(function))) for name, function in FORMULAS.items())


def texts() -> tuple[Entry, ...]:
    """The texts that can be read besides recordings, recognised by their content."""
    from ..forms.catalogue import FORMS  # Readers need numpy, which takes long to import.

    modules = (inspect.getmodule(form) for form in FORMS)
    return tuple(
        Entry(module.__name__.rpartition(".")[2].replace("_", "-"), _first_line(inspect.getdoc(module)))
        for module in modules
        if module is not None
    )


def parameters() -> tuple[Entry, ...]:
    """The parameters of a test."""
    return tuple(Entry(row.name, row.meaning, row.default) for row in describe())


def capabilities() -> tuple[Entry, ...]:
    """The known migration capabilities, with their effect on a run."""
    return tuple(Entry(name, str(capability)) for name, capability in CAPABILITIES.items())


def migrate_parameters() -> tuple[Entry, ...]:
    """The known migrate parameters, with their effect on a run."""
    return tuple(Entry(name, str(parameter)) for name, parameter in MIGRATE_PARAMETERS.items())


def _meanings(meaning_of: Mapping[str, str]) -> Callable[[], tuple[Entry, ...]]:
    """JSON fields, with their meanings from `json_fields`."""
    return lambda: tuple(Entry(name, meaning) for name, meaning in meaning_of.items())


def _codes() -> tuple[Entry, ...]:
    """Codes of a verdict's checks; each name is the check's name and the code."""
    return tuple(Entry(f"{name}.{code}", meaning) for name, codes in CODES.items() for code, meaning in codes.items())


LISTS: Mapping[str, Callable[[], tuple[Entry, ...]]] = {
    "tests": tests,
    "variants": variants,
    "workloads": workloads,
    "formulas": formulas,
    "texts": texts,
    "parameters": parameters,
    "capabilities": capabilities,
    "migrate-parameters": migrate_parameters,
    "verdict-fields": _meanings(json_fields.VERDICT),
    "codes": _codes,
    "advice-fields": _meanings(json_fields.ADVICE),
    "watch-fields": _meanings(json_fields.WATCH),
    "doctor-fields": _meanings(json_fields.DOCTOR),
    "metrics": _meanings(METRICS),
    "qemu-fields": _meanings(json_fields.QEMU),
}


def summary(kinds: Mapping[str, Sequence[Entry]]) -> str:
    """A block for each kind, with a line for each entry."""
    return "\n\n".join("\n".join([kind, *_rows(entries)]) for kind, entries in kinds.items())


def _rows(entries: Sequence[Entry]) -> list[str]:
    rows = [(entry.name, entry.default, entry.meaning) for entry in entries]
    widths = [max(len(row[column] or "") for row in rows) for column in (0, 1)]
    defaults = any(default is not None for _, default, _ in rows)
    return [
        "  ".join(["", name.ljust(widths[0]), *([(default or "").ljust(widths[1])] if defaults else []), meaning])
        for name, default, meaning in rows
    ]


def fields(kinds: Mapping[str, Sequence[Entry]]) -> dict[str, list[dict[str, Any]]]:
    """The entries of each kind as plain JSON values; only parameters have the field `default`."""
    return {
        kind: [{key: value for key, value in asdict(entry).items() if value is not None} for entry in entries]
        for kind, entries in kinds.items()
    }


def _asks(path: Path) -> str:
    return _first_line(ast.get_docstring(ast.parse(path.read_bytes())))


def _begins(path: Path) -> str:
    """The first sentence of the comments below the licence."""
    words = " ".join(line[1:].strip() for line in path.read_text().splitlines()[1:] if line.startswith("#"))
    return words.partition(". ")[0].rstrip(".")


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]
