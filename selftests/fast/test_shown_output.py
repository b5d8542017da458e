# SPDX-License-Identifier: GPL-2.0-or-later
"""What README and docs show of a command's answer is what it prints."""

import re

import pytest

from avocado_migdowntime.__main__ import main

from ..support.documents import README, TOP

SHOWN = re.compile(r"^```console\n\$ avocado migdowntime ([^\n]+)\n```\n\n```\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""A command that stands alone, and the block below it."""


def answers(page):
    return [(command.split(), shown) for command, shown in SHOWN.findall(page.read_text())]


@pytest.mark.parametrize(
    ("page", "command", "shown"),
    [
        (page.name, command, shown)
        for page in (README, TOP / "docs/stuck.md")
        for command, shown in answers(page)
        if command[0] in ("analyze", "advise")
    ],
    ids=["README.md", "stuck.md"],
)
def test_a_page_shows_the_first_lines_that_are_printed(page, command, shown, capsys, monkeypatch):
    monkeypatch.chdir(TOP)
    monkeypatch.setattr("sys.argv", ["migdowntime", *command])
    main()
    printed = capsys.readouterr().out.removeprefix(f"{command[-1]}\n")
    assert printed.startswith(shown) and shown.count("\n") > 5
    assert page == "README.md" or printed == shown
