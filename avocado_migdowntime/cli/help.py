# SPDX-License-Identifier: GPL-2.0-or-later
"""The text below the options of a command, in one layout for all."""

import textwrap
from types import ModuleType

_WIDTH = 79


def of_command(module: ModuleType) -> str:
    """The command's notes, exit statuses and examples."""
    statuses = [
        textwrap.fill(meaning, _WIDTH, initial_indent=f"  {status:<3}  ", subsequent_indent=" " * 7)
        for status, meaning in module.STATUSES.items()
    ]
    examples = [f"  {example}" for example in module.EXAMPLES]
    blocks = ["\n".join(["exit status:", *statuses]), "\n".join(["examples:", *examples])]
    notes = textwrap.fill(module.NOTES, _WIDTH) if hasattr(module, "NOTES") else ""
    return "\n\n".join(filter(None, [notes, *blocks]))


def of_all(groups: dict[str, list[ModuleType]]) -> str:
    """A line for each command, by group."""
    lines = []
    for title, modules in groups.items():
        lines += [f"{title}:", *(f"  {module.NAME:<9} {module.SUMMARY}" for module in modules), ""]
    more = "COMMAND --help shows the options, exit statuses and examples; --json, where there is one, is for programs."
    return "\n".join([*lines, textwrap.fill(more, _WIDTH), "Begin with: avocado migdowntime doctor"])
