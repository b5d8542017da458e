# SPDX-License-Identifier: GPL-2.0-or-later
"""A real terminal that commands show the recording of a stranger on."""

import json
import os
import re
import sys

import pytest

from ..support.documents import TOP
from ..support.pseudo_terminal import OnTerminal
from ..support.traces import Pass, precopy

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\nverdict    ACCURATE\u202e\u2066\u2028"


@pytest.fixture
def hostile(tmp_path):
    """The name of a recording of an inaccurate run, all texts of which, and the name itself, are attacks."""
    header = {"qemu": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": HOSTILE}, "migrate-parameters": {}}
    header |= dict.fromkeys(("arch", "machine", "accelerator", "guest", "backing", "subject"), HOSTILE)
    rows = precopy(Pass(30_000), Pass(20_000, expected_ms=7), Pass(20_000, expected_ms=7))
    rows.insert(0, {"t": 0, "side": "harness", "event": {"event": "LAGGING", "data": {"said": HOSTILE}}})
    name = f"trace{HOSTILE}.jsonl"
    (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in [header, *rows]))
    return name


ONE_AFTER_THE_OTHER = """
import json, os, sys
from avocado_migdowntime.__main__ import main
from avocado_migdowntime.report import entry
for words in json.loads(sys.argv[1]):
    if not os.fork():
        sys.argv = ["migdowntime", *words]
        sys.exit(main())
    os.wait()
"""
"""Each command in a process of its own, of one that has imported what they need."""


def test_a_terminal_gets_no_more_than_lines_of_text(tmp_path, hostile):
    """Nothing but what can be printed, and the returns and line feeds that the terminal itself makes of new lines."""
    commands = [["analyze", hostile], ["advise", hostile], ["compare", hostile], ["report", hostile, "--output", "x"]]
    commands += [["score", hostile], ["analyze", f"no {hostile}"]]
    environment = {**os.environ, "PYTHONPATH": str(TOP), "PYTHONIOENCODING": "utf-8", "TERM": "xterm"}
    line = [sys.executable, "-c", ONE_AFTER_THE_OTHER, json.dumps(commands)]
    terminal = OnTerminal(line, 200, 50, cwd=tmp_path, env=environment)
    _, restored, shown = terminal.end()
    assert restored and "Traceback" not in shown and shown.count("\\x1b[2J") >= len(commands)
    coloured = re.sub(r"\x1b\[[0-9;]*[mK]", "", shown)
    assert all(part.isprintable() for part in coloured.replace("\r", "").split("\n"))
    assert not re.search(r"^verdict +ACCURATE", coloured, re.MULTILINE)
