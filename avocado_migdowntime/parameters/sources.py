# SPDX-License-Identifier: GPL-2.0-or-later
"""The sources of a test's parameters: Avocado's settings, which options also fill, and variants."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..basics.names import KIND
from ..basics.printable import quoted
from ..errors import UsageError
from .table import describe

NAMESPACES = {row.name: f"{KIND}.{row.name}" for row in describe()}
"""The name of each parameter's setting."""


_OF_AVOCADO = frozenset({"timeout", "timeout_factor"})
"""Parameters by which a variant or -p addresses Avocado itself."""


def of_settings(config: Mapping[str, Any]) -> dict[str, str]:
    """Parameters set by an option or in a configuration file, by name."""
    return {name: value for name, namespace in NAMESPACES.items() if (value := config.get(namespace))}


def of_variant(items: Iterable[tuple[str, str, Any]]) -> dict[str, str]:
    """The parameters among (path, name, value) of a variant.

    Everything at the root or under /run is meant for this test: -p, packaged variants and YAML files given by `-m FILE`
    end there. Keys for other tests can be kept apart by `-m /other:FILE`. Raises UsageError if branches of the variant
    disagree, or for a value that is no text, number or list of these.
    """
    parameters: dict[str, str] = {}
    for path, name, value in items:
        if name in _OF_AVOCADO or value is None or f"{path.rstrip('/')}/".split("/")[1] not in ("", "run"):
            continue
        text = ",".join(_text(name, each) for each in value) if isinstance(value, list) else _text(name, value)
        if (before := parameters.setdefault(name, text)) != text:
            raise UsageError(
                f"parameter {name} is both {quoted(before)} and {quoted(text)} in one variant; remove one of them"
            )
    return parameters


def _text(name: str, value: Any) -> str:
    """A value of YAML as text. Collections are refused: written out, a small file's can be endless, by its aliases."""
    if isinstance(value, Collection) and not isinstance(value, str):
        raise UsageError(f"parameter {name} is {quoted(value)}; give a text, a number, or a list of these")
    try:
        return str(value)
    except ValueError:  # Python writes no such number out.
        raise UsageError(f"parameter {name} is a number of thousands of digits; give a smaller one") from None
