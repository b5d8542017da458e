# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU reports about its own commands (query-qmp-schema, qapi/introspect.json)."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import HarnessError


def argument_kinds(schema: Sequence[Mapping[str, Any]], command: str) -> dict[str, str | tuple[str, ...]]:
    """The arguments of a command; for each its choices, or the JSON type of its value.

    Raises HarnessError if the schema lacks them.
    """
    entities = {entity["name"]: entity for entity in schema}
    try:
        arguments = entities[entities[command]["arg-type"]]["members"]
        return {argument["name"]: _kind(entities[argument["type"]]) for argument in arguments}
    except KeyError as error:
        raise HarnessError(f"its query-qmp-schema lacks {error}, which every QEMU with {command} has") from None


def _kind(entity: Mapping[str, Any]) -> str | tuple[str, ...]:
    match entity["meta-type"]:
        case "enum":
            return tuple(entity["values"])
        case "builtin":
            return str(entity["json-type"])
        case other:
            return str(other)
