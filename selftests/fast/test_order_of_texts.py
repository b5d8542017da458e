# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that have the newest first, or that have the same twice: the clock in them says what was before what."""

import difflib
import json
import os
import re
from itertools import chain

import pytest
import yaml

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms import order
from avocado_migdowntime.forms.file import parse, read
from avocado_migdowntime.record.new_trace import NewTrace
from avocado_migdowntime.record.piped import record
from avocado_migdowntime.trace.model import SEVERAL

from ..support.documents import TOP
from ..support.waiting import HANGS_S

FORMS = TOP / "selftests" / "forms"
BLOCKS = re.split(
    r"(?=^Migration status)", (FORMS / "log-with-its-newest-line-first.txt").read_text(), flags=re.MULTILINE
)
LINES = (FORMS / "log-with-its-newest-line-first.txt").read_text().splitlines()


def look(second, **changed):
    """`info migrate` at one of the seconds 40, 50 and 58."""
    marked = [line.partition("Z ") for line in LINES[::-1]]
    text = "".join(f"{line}\n" for head, _, line in marked if f":{second}." in head)
    for name, figure in changed.items():
        text = re.sub(rf"^({name.replace('_', ' ')}: )\d+", rf"\g<1>{figure}", text, flags=re.MULTILINE)
    return text


def quoted(text):
    return "".join(f"> {line}\n" for line in text.splitlines())


def times(text):
    trace = parse(text.encode())
    return [*trace.samples.t_s.tolist()], SEVERAL in trace.notes


OLDER_BELOW = [
    "-----Original Message-----\nFrom: Jo\nSent: Monday, May 12, 2025 10:11\nTo: list\n",
    "________________________________\nVon: Jo\nGesendet: Montag, 12. Mai 2025 10:11\nAn: list\n",
    "On Mon, 12 May 2025 at 10:11, Jo Doe <jo@example.com> wrote:\n",
    "Am 12.05.25 um 10:11 schrieb Jo Doe:\n",
    "Le lun. 12 mai 2025 \u00e0 10:11, Jo a \u00e9crit :\n",
]


@pytest.mark.parametrize("head", OLDER_BELOW)
@pytest.mark.parametrize("quote", [quoted, str])
def test_what_a_mail_answers_was_before_it(head, quote):
    assert times(f"now:\n{look(50)}\n{head}\nHello,\n{quote(look(40))}") == ([40, 50], False)


def test_a_mail_that_is_recorded_from_a_pipe_is_in_order_as_well(tmp_path):
    end, begin = os.pipe()
    os.write(begin, (FORMS / "mail-above-the-one-it-answers.txt").read_bytes())
    os.close(begin)
    recording = NewTrace(str(tmp_path / "trace.jsonl"))
    record(end, recording, HANGS_S, None, lambda sample: None)
    os.close(end)
    assert read(recording.file).samples.t_s.tolist() == [40, 60]


@pytest.mark.parametrize("quote", [quoted, str])
def test_what_it_answers_may_answer_another_one(quote):
    head = OLDER_BELOW[2]
    assert times(f"{look(58)}\n{head}{quote(look(50) + head + quote(look(40)))}") == ([40, 50, 58], False)


def test_an_answer_below_what_it_quotes_is_newer():
    assert times(f"{quoted(look(40))}\na minute later:\n{look(50)}") == ([40, 50], False)


def test_output_that_is_quoted_as_such_is_no_older():
    """A tracker's quote marks, and no mail's: the clock decides."""
    assert times(f"{look(40)}\nlater:\n{quoted(look(58))}") == ([40, 58], False)
    assert times(f"{look(58)}\nbefore:\n{quoted(look(40))}") == ([40, 58], False)


def test_a_thread_has_each_look_once():
    """Each mail quotes all those before it."""
    first = f"help!\n{look(40)}"
    second = f"{look(50)}\n{OLDER_BELOW[2]}{quoted(first)}"
    third = f"{look(58)}\n{OLDER_BELOW[2]}{quoted(second)}"
    assert times(f"{first}\n{second}\n{third}") == ([40, 50, 58], False)


def test_a_migration_that_was_begun_anew_is_newer_than_the_one_quoted():
    assert times(f"I began anew:\n{look(40)}\n{OLDER_BELOW[2]}{quoted(look(58))}") == ([40], True)


def test_quote_marks_at_a_part_of_each_line_are_none_of_a_mail():
    """What was broken has a mark only before its first piece."""
    text = "".join(f"> {line[:20]}\n{line[20:]}\n" if len(line) > 20 else f"> {line}\n" for line in LINES[::-1])
    assert order._as_written(text) is None


def test_of_two_looks_in_a_row_the_newer_may_be_first():
    assert times(f"update:\n{look(50)}\nbefore:\n{look(40)}") == ([40, 50], False)
    assert times(look(58) + look(50) + look(40)) == ([40, 50, 58], False)


@pytest.mark.parametrize("changed", [{"setup": 13}, {"duplicate": 199_999}, {"total_ram": 4_211_529}])
def test_unless_they_may_be_of_two_migrations(changed):
    assert times(look(50) + look(40, **changed)) == ([40], True)


def test_looks_that_count_more_at_an_earlier_time_are_of_two_migrations():
    assert times(look(58) + look(50, transferred_ram=99_999_999) + look(40)) == ([40], True)


def test_a_log_with_its_newest_line_first_is_read_from_its_end():
    replies = {second: json.dumps({"return": json.loads(REPLY % (second * 1000, second))}) for second in (40, 50, 58)}
    lines = [f"2025-05-12 10:00:{second} host1 qmp: {reply}\n" for second, reply in replies.items()]
    assert times("".join(lines)) == times("".join(lines[::-1])) == ([40, 50, 58], False)


REPLY = (
    '{"status": "active", "total-time": %d, "expected-downtime": 300, "ram": {"total": 1073741824, "remaining": 409600,'
    ' "transferred": %d, "normal": 10, "duplicate": 5, "page-size": 4096, "mbps": 96, "dirty-sync-count": 2,'
    ' "dirty-pages-rate": 7}}'
)


def test_lines_without_a_time_stay_below_the_one_that_they_belong_to():
    log = "".join(f"May 12 10:00:{second} host1 qmp: look\n    " + look(second).replace("\n", "\n    ") + "\n"
                  for second in (58, 50, 40))  # fmt: skip
    assert times(log) == ([40, 50, 58], False)


def test_a_long_log_may_have_its_newest_line_first(monkeypatch):
    lines = [f"2025-05-12 10:{second // 60:02}:{second % 60:02} qmp: {REPLY % (second * 1000, second)}\n"
             for second in range(600)]  # fmt: skip
    long = "".join(chain.from_iterable(zip(lines, ["x" * 4000 + "\n"] * 600, strict=True)))
    whole = parse("".join(lines).encode()).samples.t_s.tolist()
    backwards = "".join(f"{line}\n" for line in long.splitlines()[::-1] if not line.startswith("x"))
    assert parse(backwards.encode()).samples.t_s.tolist() == whole
    monkeypatch.setattr(order, "MOST_BYTES", 1 << 17)
    monkeypatch.setattr(order, "MAIL_BYTES", 1 << 14)
    with pytest.raises(UsageError, match="^is a log with its newest line first; give it as `tac FILE` prints it$"):
        parse(backwards.encode())


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("text", [look(40), '{"return": ' + REPLY % (40_000, 7) + ', "id": "libvirt-3"}'])
def test_what_ansible_tells_twice_counts_once(indent, text):
    told = {"cmd": "virsh", "rc": 0, "stdout": text, "stdout_lines": text.splitlines()}
    trace = parse(f"ok: [host1] => {json.dumps({'info': told}, indent=indent)}\n".encode())
    assert trace.snapshot and trace.samples.t_s.tolist() == [40]
    results = {"results": [{"stdout": text, "stdout_lines": text.splitlines()}]}
    assert parse(json.dumps(results, indent=indent).encode()).snapshot


def test_what_ansible_tells_twice_in_yaml_counts_once():
    block = "".join(f"    {line}\n" for line in look(40).splitlines())
    listed = "".join(f"  - '{line}'\n" for line in look(40).splitlines())
    text = f"ok: [host1] =>\n  changed: true\n  rc: 0\n  stdout: |-\n{block}  stdout_lines:\n{listed}"
    assert parse(text.encode()).snapshot


@pytest.mark.parametrize("end", ["\n", "   \n", "\r\n"])
def test_a_string_that_yaml_folds_is_whole(end):
    """Blanks at the ends of lines, as virsh prints them, keep Ansible from showing them as lines."""
    results = [{"stdout": look(second).replace("\n", end), "rc": 0} for second in (40, 50)]
    assert times(f"ok: [host1] =>\n{yaml.dump({'results': results})}") == ([40, 50], False)


def test_a_captured_output_that_is_logged_as_well_counts_once():
    outputs = look(40) + look(50)
    logged = "".join(f"INFO     {line}\n" for line in outputs.splitlines())
    assert times(f"--- Captured stdout call ---\n{outputs}--- Captured log call ---\n{logged}") == ([40, 50], False)


def test_the_same_reply_of_a_monitor_that_is_asked_fast_is_two():
    reply = REPLY % (40_000, 7)
    assert len(parse(f"{reply}\n{reply}\n".encode()).samples) == 2


@pytest.mark.long
def test_rotated_logs_may_have_the_newest_file_first():
    log = (TOP / "selftests" / "texts" / "nova-2023-completed.txt").read_text().splitlines(keepends=True)
    for cut in range(1, len(log)):
        assert list(parse("".join(log[cut:] + log[:cut]).encode()).samples) == list(
            parse("".join(log).encode()).samples
        )


def test_logs_of_two_hosts_stay_as_they_are():
    source = "".join(f"2025-05-12 10:00:{second} {REPLY % (second * 1000, second)}\n" for second in (40, 50, 58))
    destination = "".join(f"2025-05-12 10:00:{second} qemu: waits\n" for second in (39, 45, 59))
    assert times(source + destination) == times(destination + source) == ([40, 50, 58], False)
    assert order._by_time(source + destination) is None


def test_logs_that_write_their_times_in_two_ways_stay_as_they_are():
    """One of them may be of another zone."""
    local = f"2025-05-12 12:00:40 {REPLY % (40_000, 40)}\n"
    assert order._by_time(f"{local}2025-05-12 10:00:50.000+0000: {REPLY % (50_000, 50)}\n") is None


def test_the_times_of_a_log_may_jump_back_a_little():
    log = "".join(f"2025-05-12 10:00:{at}.5 {REPLY % (at * 1000, at)}\n2025-05-12 10:00:{at}.1 x\n" for at in (40, 50))
    assert order._by_time(log) is None and times(log) == ([40, 50], False)


@pytest.mark.parametrize("lines", [None, 0])
def test_a_diff_has_the_older_look_and_the_newer_one(lines):
    older, newer = (f"{look(second)}".splitlines(keepends=True) for second in (40, 58))
    if lines is None:
        text = "".join(difflib.unified_diff(older, newer, "old", "new", n=99))
    else:
        pairs = [pair for pair in zip(older, newer, strict=True) if pair[0] != pair[1]]
        text = f"3,9c3,9\n{''.join(f'< {one}' for one, _ in pairs)}---\n{''.join(f'> {other}' for _, other in pairs)}"
    trace = parse(text.encode())
    assert trace.samples.t_s.tolist() == [40, 58]
    assert trace.samples[-1].ram.remaining_bytes == parse(look(58).encode()).samples[0].ram.remaining_bytes


@pytest.mark.parametrize("end", ["\\n", "\\r\\n"])
def test_the_inside_of_a_string_is_read_as_its_lines(end):
    assert times(look(40).replace("\n", end)) == ([40], False)
