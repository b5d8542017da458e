# SPDX-License-Identifier: GPL-2.0-or-later
"""What mail programs, terminals and other programs make of a text: it is answered as the bare one."""

import html
import json
import re
import textwrap
from functools import cache

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.verdict.judge import judge
from selftests.support.documents import TOP


def before_each(head):
    return lambda text: "".join(head.format(number) + line for number, line in enumerate(text.splitlines(True), 1))


def wrapped(width, quote="", only_first=False):
    """As mail programs break long lines, before words."""

    def broken(text):
        lines = []
        for line in text.splitlines():
            pieces = textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
            lines += [f"{quote if not number or not only_first else ''}{piece}" for number, piece in enumerate(pieces)]
        return "\n".join(lines) + "\n"

    return broken


def at_the_edge(text):
    """As a terminal of 80 columns shows it."""
    return "".join(
        "\n".join(line[begin : begin + 80] for begin in range(0, max(1, len(line)), 80)) + "\n"
        for line in text.splitlines()
    )


def mailed(text):
    """In quoted-printable: lines of 76 characters, broken by `=`."""
    lines = []
    for line in text.replace("=", "=3D").replace("\u00a0", "=C2=A0").splitlines():
        while len(line) > 75:
            cut = 75 if "=" not in line[73:75] else line.rindex("=", 0, 75)
            lines.append(f"{line[:cut]}=")
            line = line[cut:]
        lines.append(re.sub(" $", "=20", line))
    return "\n".join(lines) + "\n"


WAYS = {
    "quoted": before_each("> "),
    "quoted thrice": before_each("> > > "),
    "a list": before_each("* "),
    "numbered by nl": before_each("{:6}\t"),
    "numbered by grep": before_each("{}:"),
    "of a file by grep": before_each("task.log:{}:"),
    "by docker compose": before_each("qemu-1  | "),
    "by kubectl": before_each("[pod/virt-launcher-vm1-abcde/compute] "),
    "with HTML's entities": lambda text: f"<pre>{html.escape(text)}</pre>\n",
    "with blanks that do not break": lambda text: text.replace("  ", "\u00a0\u00a0").replace(": ", ":\u00a0"),
    "with curly quotes": lambda text: re.sub('"([^"]*)"', "\u201c\\1\u201d", text),
    "with blank lines": lambda text: text.replace("\n", "\n\n"),
    "as cells": lambda text: "".join('"' + line.replace('"', '""') + '"\n' for line in text.splitlines()),
    "in a string": lambda text: json.dumps(text) + "\n",
    "in an object": lambda text: json.dumps({"output": text, "rc": 0}) + "\n",
    "in quoted-printable": mailed,
    "broken at 72": wrapped(72),
    "broken at 70 and quoted": wrapped(70, "> "),
    "quoted and broken": wrapped(72, "> ", only_first=True),
    "broken by a terminal": at_the_edge,
}
OF_LINES = (
    "forms/info-migrate-7.2-throttled.txt",
    "forms/info-migrate-10.1-postcopy.txt",
    "forms/domjobinfo-below-its-prompt.txt",
)
LOGS = (
    *("texts/proxmox-2024-dirties-faster.txt", "texts/proxmox-2018-limit-raised.txt", "texts/proxmox-2024-failed.txt"),
    *("texts/nova-2023-completed.txt", "texts/kubevirt-2024-postcopy.txt", "texts/kubevirt-2024-aborted.txt"),
)


@cache
def concluded(data):
    trace = parse(data)
    verdict, advice = judge(trace), advise(trace)
    left_ms = verdict.left_now_ms and round(verdict.left_now_ms, 1)
    told = (verdict.report.code, verdict.reported_ms, left_ms, verdict.downtime_limit_ms)
    return *told, verdict.downtime and verdict.downtime.qemu_ms, advice.finding, advice.limit_ms


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [*OF_LINES, *LOGS])
def test_it_is_answered_as_the_bare_text(name, way):
    text = (TOP / "selftests" / name).read_text()
    assert concluded(WAYS[way](text).encode()) == concluded(text.encode())


def test_a_line_that_nothing_followed_is_read_once_all_is_silent():
    """The last line of a log was broken, and its end came."""
    log = (TOP / "selftests/texts/proxmox-2024-dirties-faster.txt").read_text().rstrip()
    whole, broken = parse(log.encode()), parse(WAYS["broken at 72"](log).encode())
    assert broken.samples[-1].ram is whole.samples[-1].ram is None
    assert broken.notes == whole.notes
