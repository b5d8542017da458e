# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever people and programs put around a text, its figures are those of the bare one."""

import codecs
import gzip
import json
import pprint
import textwrap
from functools import cache

import pytest

from avocado_migdowntime.forms.file import parse

from ..support.recorded import RECORDINGS

TEXT = (RECORDINGS / "info-migrate-7.2.txt").read_text()
GROUPED = (RECORDINGS / "info-migrate-11.1.txt").read_text()
JOB = (RECORDINGS / "domjobinfo-9.0.txt").read_text()
ANSWER = {
    "status": "active", "expected-downtime": 2086, "total-time": 3602, "setup-time": 1,
    "ram": {
        "total": 268435456, "remaining": 7581696, "page-size": 4096, "normal": 10451, "duplicate": 59380, "mbps": 96.53,
        "dirty-sync-count": 2, "dirty-pages-rate": 2894, "transferred": 43424768, "normal-bytes": 42807296,
    },
}  # fmt: skip
REPLY = json.dumps({"return": ANSWER, "id": "libvirt-7"})
BARE = {"text": TEXT, "grouped": GROUPED, "job": JOB, "reply": REPLY + "\n", "pretty": json.dumps(ANSWER, indent=4)}


def each(change):
    return lambda text: "".join(change(line) + "\n" for line in text.splitlines()).encode()


LINES = {
    "as it is": each(lambda line: line),
    "quoted": each(lambda line: f"> {line}"),
    "quoted twice": each(lambda line: f">> {line}"),
    "quoted in turns": each(lambda line: f"> > | {line}"),
    "quoted without a blank": each(lambda line: f">{line}"),
    "indented": each(lambda line: f"    \t{line}"),
    "listed": each(lambda line: f"* {line}"),
    "added": each(lambda line: f"+{line}"),
    "behind a name": each(lambda line: f"[qemu-1] {line}"),
    "found by grep": each(lambda line: f"7:{line}"),
    "mailed": lambda text: text.replace("=", "=3D").encode(),
    "CRLF": each(lambda line: f"{line}\r"),
    "blanks behind": each(lambda line: f"{line}  \t "),
    "hard blanks": each(lambda line: f"\u00a0\u00a0{line}"),
    "coloured": each(lambda line: f"\x1b[0;32m{line}\x1b[0m"),
    "cleared": each(lambda line: f"\x1b[K\x1b[2J{line}\x1b]0;title\x07"),
    "written over": each(lambda line: f"\r{line}"),
    "logged by Avocado": each(lambda line: f"2024-05-12 11:57:06,546 monitor    L0167 DEBUG| {line}"),
    "logged by the journal": each(lambda line: f"May 12 11:57:06 host1 libvirtd[4242]: {line}"),
    "logged by a container": each(lambda line: json.dumps({"log": line + "\n", "time": "2024-05-12T11:57:06.546Z"})),
    "with its time": each(lambda line: f"2024-05-12T11:57:06.546232Z {line}"),
    "returns alone": lambda text: text.replace("\n", "\r").encode() + b"\n",
}


def below(head):
    return lambda text: (head + text).encode()


WHOLE = {
    "below prose": below("Hello,\n\nthe Migration status: it is active since hours.\nSee {this}:\n\n"),
    "above prose": lambda text: f"{text}\n\nWhat should I do?\n-- \nSome Body {{the admin}}\n".encode(),
    "below its command": below("root@host1:~# virsh qemu-monitor-command vm1 --hmp 'info migrate'\n"),
    "in a fence": lambda text: b"```\n" + text.encode() + b"\n```\n",
    "UTF-8 with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16 LE": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16 BE": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
    "compressed": lambda text: gzip.compress(text.encode()),
    "without an end": lambda text: text.rstrip().encode(),
    "behind an error": below("error: Timed out during operation\nerror: failed to get domain 'vm2'\n\n"),
}


@cache
def read_bare(name):
    return parse(BARE[name].encode())


@pytest.mark.parametrize("bare", BARE)
@pytest.mark.parametrize("wrapping", LINES | WHOLE)
def test_the_figures_are_those_of_the_bare_text(bare, wrapping):
    expected = read_bare(bare)
    found = parse((LINES | WHOLE)[wrapping](BARE[bare]))
    assert list(found.samples) == list(expected.samples) and len(found.samples) == 1
    assert found.snapshot and found.lacks == () and found.notes == expected.notes
    assert found.readings[0].rounding == expected.readings[0].rounding


PYTHON = repr({"return": ANSWER, "id": "libvirt-7"})
REPLIES = {
    "bare": json.dumps(ANSWER),
    "compact": json.dumps(ANSWER, separators=(",", ":")),
    "pretty": json.dumps({"return": ANSWER}, indent=2),
    "in an array": json.dumps([{"return": ANSWER}]),
    "in a pretty array": json.dumps([{"return": ANSWER}, {"return": {}}], indent=1),
    "in arrays": json.dumps([[ANSWER]]),
    "a repr": PYTHON,
    "a pretty repr": pprint.pformat({"return": ANSWER}),
    "by a test of Avocado's": f"2019-09-17 03:15:34,798 qmp              L0175 DEBUG| <<< {PYTHON}",
    "by a test of QEMU's": f"DEBUG:qemu.qmp.protocol.vm1:<-- {REPLY}",
    "by qtest": f'[I 0.000001] OPENED\n[S +0.003] {{"execute": "query-migrate"}}\n{REPLY}',
    "behind a prompt": f'$ virsh qemu-monitor-command vm1 \'{{"execute":"query-migrate"}}\'\n{REPLY}',
    "behind a prompt of QMP's": f"QEMU> {PYTHON}",
    "as libvirt logs it": f"2022-03-07 10:47:20.146+0000: 134386: info : qemuMonitorJSONIOProcessLine:240 : "
    f"QEMU_MONITOR_RECV_REPLY: mon=0x7fa4380028a0 reply={REPLY}",
    "as libvirt reads it": f"2022-03-07 10:47:20.146+0000: 134386: info : qemuMonitorIOProcess:348 : "
    f"QEMU_MONITOR_IO_PROCESS: mon=0x7fa4380028a0 buf={REPLY}\r\n len=700",
    "as libvirt tells of it": f"2022-03-07 10:47:20.146+0000: 134386: debug : qemuMonitorJSONIOProcessLine:225 : "
    f"Line [{REPLY}]",
    "in another program's log": json.dumps({"level": "info", "msg": f"got {REPLY}", "time": "2024-05-12T11:57:06Z"}),
    "cut by a terminal": "\n".join(REPLY[begin : begin + 80] for begin in range(0, len(REPLY), 80)),
    "wrapped by a mail": "\n".join(textwrap.wrap(REPLY, 72)),
    "with what is no number": REPLY.replace('"status"', '"xbzrle-cache": {"miss-rate": -nan, "pages": 0}, "status"'),
    "with what is none": REPLY.replace('"status"', '"cpu-throttle-percentage": nan, "x": [inf, -inf, NaN], "status"'),
}


@pytest.mark.parametrize("form", REPLIES)
def test_a_reply_is_found_wherever_it_is(form):
    (expected,) = parse(json.dumps(ANSWER).encode()).samples
    (found,) = parse(REPLIES[form].encode() + b"\n").samples
    assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"status": "active", "id": 7, "vm": "x"}',
        '{"return": {"status": "running", "running": true, "singlestep": false}}',
        '{"server": {"status": "completed", "total-time": 7}}',
        "{{{{ [[[ ]]] }}}}",
        "[" * 3000,
        '{"a": ' * 3000,
        "{'a': __import__('os').system('true')}",
        "def f(x): return {'status': 'active'}[x",
    ],
)
def test_what_is_no_message_of_qmps_tells_nothing(text):
    expected = parse(TEXT.encode())
    assert parse(f"{text}\n{TEXT}".encode()).samples == expected.samples


def test_an_object_that_is_never_closed_takes_nothing_from_what_follows():
    expected = parse(TEXT.encode())
    for begin in ("{\n", 'see {"config": {\n', "[\n", '[{"return": {"status": "active",\n'):
        assert parse(begin.encode() + TEXT.encode()).samples == expected.samples


def test_what_an_old_virsh_shows_has_the_mean_bandwidth():
    shown = ("Job type", "Time elapsed", "Data ", "Memory processed", "Memory remaining", "Memory total")
    trace = parse("".join(line for line in JOB.splitlines(True) if line.startswith(shown)).encode())
    (sample,) = trace.samples
    assert (sample.t_s, sample.ram.remaining_bytes) == (2.54, int(36.965 * (1 << 20)))
    assert sample.ram.mbps == pytest.approx(44.083 * (1 << 20) / 2540 / 125)
    assert {"ram.mbps", "ram.page-size"} == trace.readings[0].estimated.keys()
    assert trace.lacks == ("ram.normal", "ram.duplicate", "ram.dirty-sync-count", "ram.dirty-pages-rate")


@pytest.mark.parametrize("line", ["Memory bandwidth: 20.013 MiB/s\n", "Dirty rate:       5000         pages/s\n"])
def test_a_bandwidth_and_a_rate_of_0_are_not_printed_by_virsh(line):
    trace = parse(JOB.replace(line, "").encode())
    (ram,) = (sample.ram for sample in trace.samples)
    assert (ram.mbps == 0, ram.dirty_pages_per_s == 0) == ("bandwidth" in line, "rate" in line) and not trace.lacks


@pytest.mark.parametrize("quote", ["", "> "])
@pytest.mark.parametrize("width", [60, 72, 100])
@pytest.mark.parametrize("text", [TEXT, JOB], ids=["the monitor", "virsh"])
def test_a_text_that_became_a_paragraph_is_read(text, width, quote):
    paragraph = textwrap.wrap(f"It shows {' '.join(text.split())} and so on.", width, break_on_hyphens=False)
    trace = parse("".join(f"{quote}{line}\n" for line in paragraph).encode())
    assert [*trace.samples] == [*parse(text.encode()).samples]
