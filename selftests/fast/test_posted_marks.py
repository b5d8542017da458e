# SPDX-License-Identifier: GPL-2.0-or-later
"""Marks of forums, cells, strings and runners, and words that somebody typed anew: texts are as without them."""

import json

import numpy as np
import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.lines import Lines
from avocado_migdowntime.forms.marks import without_escapes
from avocado_migdowntime.trace.figures import Column

from ..support.documents import TOP
from ..support.posts import JOB, SHOWN

LOG = """\
2024-06-07 10:11:01 starting migration of VM 117 to node 'b' (10.0.0.2)
2024-06-07 10:11:03 migration downtime limit: 100 ms
2024-06-07 10:11:04 migration active, transferred 402.0 MiB of 2.0 GiB VM-state, 377.0 MiB/s
2024-06-07 10:11:05 migration active, transferred 779.0 MiB of 2.0 GiB VM-state, 381.0 MiB/s
2024-06-07 10:11:06 average migration speed: 512.0 MiB/s - downtime 37 ms
2024-06-07 10:11:06 migration status: completed
"""


def same(text, plain):
    """Whether both show the same figures; prefixes may also show when."""
    one, other = parse(text.encode()).samples, parse(plain.encode()).samples
    figures = [samples.table[Column.STATUS :] for samples in (one, other)]
    return one.labels == other.labels and np.array_equal(*figures, equal_nan=True)


@pytest.mark.parametrize("mark", ["CODE", "code=text", "ICODE", 'quote="ann, post: 31"', "SIZE=2"])
@pytest.mark.parametrize("plain", [SHOWN, LOG, JOB], ids=["the monitor", "a task log", "virsh"])
def test_a_forums_marks_around_a_text_are_none_of_its_lines(mark, plain):
    end = f"[/{mark.partition('=')[0]}]"
    assert same(f"[{mark}]{plain.rstrip()}{end}\nWhat is wrong?\n", plain)
    assert same(f"[B][{mark}]{plain.rstrip()}{end}[/B]", plain)


@pytest.mark.parametrize("plain", [SHOWN, JOB], ids=["the monitor", "virsh"])
def test_the_quotation_marks_of_a_cell_of_several_lines_are_none_of_its_lines(plain):
    assert same(f'"{plain.rstrip()}"\n', plain)
    assert same(f'"(qemu) info migrate\n{plain.rstrip()}"\n', plain)


def test_a_quotation_mark_at_the_end_of_a_part_of_a_reply_stays():
    reply = '{"return": {"status": "act\nive", "total-time": 60000, "expected-downtime": 44, "ram": {"total": 290000000'
    more = ', "remaining": 8, "mbps": 16, "page-size": 4096, "normal": 5, "duplicate": 1, "dirty-sync-count": 3, "dirty'
    assert parse(f'{reply}{more}-pages-rate": 9}}}}, "id": "libvirt-17\n"}}\n'.encode()).samples[0].status == "active"


@pytest.mark.parametrize("end", ["\\n", "\\r\\n"])
@pytest.mark.parametrize("plain", [SHOWN, LOG, JOB], ids=["the monitor", "a task log", "virsh"])
def test_what_is_copied_out_of_a_string_may_have_apostrophes(end, plain):
    assert same(plain.replace("\n", end), plain)
    assert same(json.dumps({"msg": plain.replace("\n", end)}), plain)
    assert same(f'  "stdout": {json.dumps(plain.replace(chr(10), end))},', plain)


@pytest.mark.parametrize("depth", [1, 2])
def test_an_object_copied_out_of_a_string_is_one(depth):
    reply = '{"return": {"status": "active", "total-time": 44000, "expected-downtime": 880, "ram": {"total": 290000000'
    more = '"remaining": 8000000, "mbps": 16, "page-size": 4096, "normal": 5, "duplicate": 1, "dirty-sync-count": 3'
    plain = f'{reply}, {more}, "dirty-pages-rate": 9}}}}}}'
    text = plain
    for _ in range(depth):
        text = json.dumps(text)[1:-1]
    assert same(text, plain) and same(f"answered\n{text}\nand so on\n", plain)


def test_an_object_of_a_string_that_goes_on_elsewhere_stays_as_it_is():
    (line,) = Lines().of(b'{\\"return\\": {\\"status\\": \\"act\\', 0.0)
    assert line.text.startswith('{\\"return')


@pytest.mark.parametrize("between", [" ", ", ", ",", ";", "\\n", "\\r\\n"])
@pytest.mark.parametrize("name", ["kubevirt-2024", "kubevirt-2024-aborted", "kubevirt-2024-postcopy"])
def test_objects_of_a_log_on_one_line_are_all_read(between, name):
    plain = (TOP / "selftests" / "texts" / f"{name}.txt").read_text()
    assert same(between.join(plain.splitlines()), plain)
    assert same(between.join(f">> {line}" for line in plain.splitlines()), plain)


def test_lines_of_a_log_within_a_string_keep_what_is_before_their_objects():
    plain = (TOP / "selftests" / "texts" / "kubevirt-2024-postcopy.txt").read_text()
    lines = [f"Jun 07 10:11:12 host1 kubelet[77]: {line}" for line in plain.splitlines()]
    assert same("\\r\\n".join(lines), plain)


@pytest.mark.parametrize("plain", [SHOWN, LOG, JOB], ids=["the monitor", "a task log", "virsh"])
def test_a_list_of_lines_may_have_blanks_between_its_brackets(plain):
    text = json.dumps({"stdout_lines": plain.splitlines()}, indent=4)
    assert same(" ".join(text.split("\n")), plain)


def test_a_string_of_python_is_none_that_lost_its_quotation_marks():
    assert same(repr({"log": SHOWN}), SHOWN)


@pytest.mark.parametrize("append", [" ", "+"])
@pytest.mark.parametrize("plain", [SHOWN, JOB], ids=["the monitor", "virsh"])
def test_the_time_and_the_stream_that_gitlab_puts_before_each_line_are_none_of_it(append, plain):
    lines = plain.splitlines()
    text = "".join(f"2024-06-07T10:11:12.601581Z 0{number % 2}O{append}{line}\n" for number, line in enumerate(lines))
    assert same(text, plain)


def test_a_quoted_text_may_have_been_joined_with_its_quote_marks():
    plain = (TOP / "selftests" / "forms" / "info-migrate-2025-in-kb.txt").read_text()
    assert same(" ".join(plain.split()), plain)


@pytest.mark.parametrize("name", ["Outgoing Migration", "Migration Out", "outgoing migration"])
def test_the_name_of_a_job_may_be_typed_anew(name):
    assert same(JOB.replace("Outgoing migration", name), JOB)


@pytest.mark.parametrize("left_out", ["...", "\u2026", "[...]", "-", "--"])
def test_a_figure_that_somebody_left_out_is_not_shown(left_out):
    text = JOB.replace("4.016 GiB", left_out)
    trace = parse(text.encode())
    assert "total" not in trace.readings[0].answer["ram"] and trace.samples[0].ram.remaining_bytes == 234_999_513


@pytest.mark.parametrize("escaped", ["\x1b[32mactive\x1b[0m", "^[[32mactive^[[m", "^[[32mactive^[[0m", "[32mactive[m"])
def test_a_terminals_colours_are_left_out_however_they_end(escaped):
    assert without_escapes(escaped) == "active"
