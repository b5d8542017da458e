# SPDX-License-Identifier: GPL-2.0-or-later
"""What mail programs, terminals and other programs make of a text: it is answered as the bare one."""

import html
import json
import pprint
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


def each(made):
    return lambda text: "".join(f"{made(line)}\n" for line in text.splitlines())


def logged_as(fields, name, told=str, indent=None):
    """A line as an object in which it was logged."""
    return each(lambda line: json.dumps({**fields, name: told(line), "host": "h"}, indent=indent))


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
    "taken out by a diff": before_each("-"),
    "by stern": before_each("virt-launcher-vm1-abcde \u203a compute "),
    "by a runner of containers": before_each("2024-05-12T11:57:06.546123456+02:00 stdout F "),
    "of a job": before_each("build (x86)\tRun tests\t2024-05-12T11:57:06.5461234Z "),
    "by syslog of RFC 5424": before_each("<30>1 2024-05-12T11:57:06.546+02:00 host1 libvirtd 1234 - - "),
    "by the journal": logged_as({"__REALTIME_TIMESTAMP": "1715507826500123", "_PID": "12"}, "MESSAGE"),
    "by the journal, over lines": logged_as({"_PID": "12"}, "MESSAGE", indent=8),
    "by the journal, as bytes": logged_as({"_PID": "12"}, "MESSAGE", lambda line: [*f"\x1b[32m{line}\x1b[0m".encode()]),
    "exported by the journal": lambda text: "".join(f"_PID=12\nMESSAGE={line}\n\n" for line in text.splitlines()),
    "of the journal, all fields": each(
        lambda line: f"Sun 2024-05-12 11:57:06.546123 CEST [s=ab;i=1]\n    _PID=12\n    MESSAGE={line}"
    ),
    "in names with values": each(lambda line: f'time="2024-05-12T11:57:06Z" level=info msg={json.dumps(line)} vm=vm1'),
    "found by Elasticsearch": each(lambda line: json.dumps({"_source": {"message": line}})),
    "found by Loki": logged_as({"timestamp": "1715507826500000000"}, "line"),
    "as a list": lambda text: json.dumps({"lines": text.splitlines()}),
    "as a list of Python's": lambda text: repr(text.splitlines()),
    "as a list of Python's, over lines": lambda text: pprint.pformat(text.splitlines(), width=1000),
    "as a list of YAML's": each(lambda line: "- '" + line.replace("'", "''") + "'"),
    "of Proxmox VE's API": lambda text: json.dumps([{"n": n, "t": line} for n, line in enumerate(text.splitlines())]),
    "in Jira's marks": lambda text: f"{{noformat}}{text.rstrip()}{{noformat}}",
    "as Jira's code": each(lambda line: f"{{{{{line}}}}}"),
    "as Markdown's code": each(lambda line: f"- `{line}`"),
    "with backslashes": each(lambda line: line.replace("_", "\\_") + "\\"),
    "with strong names": each(lambda line: re.sub(r"^([\w -]+):", r"**\1:**", line)),
    "as strong lines": each(lambda line: f"*{line}*" if line[:1].isalpha() else line),
    "with HTML's tags": each(
        lambda line: f'<tr><td><font face="monospace"><b>{html.escape(line)}</b></font></td></tr>'
    ),
    "with HTML's entities of entities": lambda text: html.escape(html.escape(text)),
    "in a box": each(lambda line: f"\u2502 {line:<60} \u2502"),
    "in a table": each(lambda line: f"| {line:<60} |"),
    "in a table of two": each(lambda line: re.sub(r"^([A-Z][\w ]+): *(.*)", r"| \1 | \2 |", line)),
    "in a table of two of MediaWiki": each(lambda line: re.sub(r"^([A-Z][\w ]+): *(.*)", r"|-\n| \1 || \2", line)),
    "below names": lambda text: re.sub(r"^([\w -]+): +(?=[\w.]+( \w+)?$)", r"\1:\n", text, flags=re.MULTILINE),
    "with thin blanks": lambda text: text.replace(" ", "\u2009"),
    "with hyphens that do not break": lambda text: text.replace("-", "\u2011"),
    "with hyphens unseen": lambda text: text.replace("remaining", "remain\u00ading"),
    "with ligatures": lambda text: text.replace("fi", "\ufb01").replace("fl", "\ufb02").replace("ff", "\ufb00"),
    "with marks of direction": before_each("\u200e"),
    "with colours that lost a letter": each(lambda line: f"[32m{line}[0m"),
    "with colours made visible": each(lambda line: f"^[[32m{line}^[[0m"),
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
