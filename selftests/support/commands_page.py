# SPDX-License-Identifier: GPL-2.0-or-later
"""The expected content of docs/commands.md."""

import argparse
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from avocado_migdowntime.cli import GROUPS, help

HEAD = """# Commands

Generated from the code; `--help` of each command prints the same. On a host without Avocado use
`python -m avocado_migdowntime` in place of `avocado migdowntime`.
"""
STATUSES = """## Exit statuses

0 means success or a good answer, 1 a bad answer, and 125 no answer: the data cannot tell, this host lacks something, or
QEMU failed. Bad input is 2. For `judge` and `verify` it is 129, because `git bisect run` takes 2 for a bad commit; it
skips a commit at 125, and stops at 128 and above.
"""


def commands_page() -> str:
    """The page: commands by group, then all exit statuses in one table."""
    groups = {title: [import_module(f"{help.__package__}.{name}") for name in names] for title, names in GROUPS.items()}
    blocks = [HEAD]
    for title, modules in groups.items():
        blocks.append(f"## For {title}\n")
        blocks += [_command(module) for module in modules]
    rows = [
        f"| `{module.NAME}` | {status} | {meaning} |"
        for modules in groups.values()
        for module in modules
        for status, meaning in module.STATUSES.items()
    ]
    blocks.append("\n".join([STATUSES, "| command | status | meaning |", "| --- | --- | --- |", *rows, ""]))
    return "\n".join(blocks)


def _command(module: ModuleType) -> str:
    parser = argparse.ArgumentParser(add_help=False)
    module.configure(parser)
    notes = " ".join(getattr(module, "NOTES", "").split())
    summary = f"{module.SUMMARY[0].upper()}{module.SUMMARY[1:]}."
    examples = "\n".join(["```", *module.EXAMPLES, "```"])
    rows = [f"| {name} | {meaning} |" for name, meaning in _arguments(parser)]
    table = "\n".join(["| argument | meaning |", "| --- | --- |", *rows])
    return "\n\n".join(filter(None, [f"### {module.NAME}", summary, notes, examples, table])) + "\n"


def _arguments(parser: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield f"`{choice.dest}`", choice.help or ""
                yield from _arguments(action.choices[choice.dest], f"{choice.dest} ")
        elif not isinstance(action, argparse._HelpAction):
            taken = "" if action.nargs == 0 else str(action.metavar or "|".join(map(str, action.choices or ())))
            names = [f"{name} {taken}".strip() for name in action.option_strings] or [taken]
            text = (action.help or "") % {**vars(action), "prog": ""}
            yield ", ".join(f"`{before}{name}`" for name in names).replace("|", "\\|"), text.replace("|", "\\|")
