# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs that were exported as objects or documents: each has all of its lines, the oldest of which is read first."""

import json

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms import order
from avocado_migdowntime.forms.documents import are_newest_first
from avocado_migdowntime.forms.file import parse

from ..support.documents import TOP

KUBEVIRT = (TOP / "selftests" / "texts" / "kubevirt-2024.txt").read_text().splitlines()
SHOWN = [line for line in KUBEVIRT if "Migration info for" in line]


def exported(lines):
    """As Loki and Elasticsearch give them, the newest first."""
    at = [1_715_507_826 + number for number in range(len(lines))][::-1]
    loki = {"data": {"result": [{"values": [[f"{t}000000000", line] for t, line in zip(at, lines, strict=True)]}]}}
    hits = [{"_source": {"@timestamp": t, "message": line}} for t, line in zip(at, lines, strict=True)]
    return [loki, {"hits": {"hits": hits}}, {"events": [hit["_source"] for hit in hits]}]


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_exported_in_one_object_has_all_of_its_lines(which, indent):
    whole, given = parse("\n".join(SHOWN).encode()), json.dumps(exported(SHOWN[::-1])[which], indent=indent)
    trace = parse(given.encode())
    assert len(SHOWN) > 1 and list(trace.samples) == list(whole.samples) and trace.notes == whole.notes


@pytest.mark.parametrize("told", [lambda line: {"textPayload": line}, lambda line: {"jsonPayload": {"message": line}}])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_of_what_was_logged_may_have_the_newest_first(indent, told):
    log = (TOP / "selftests" / "texts" / "nova-2023-completed.txt").read_text().splitlines()
    parted = [line.partition(".")[0] for line in log]
    records = [
        {"insertId": "x", **told(line[24:]), "timestamp": f"{date.replace(' ', 'T')}Z"}
        for date, line in zip(parted, log, strict=True)
    ]
    trace = parse(json.dumps(records[::-1], indent=indent).encode())
    assert list(trace.samples) == list(parse(json.dumps(records, indent=indent).encode()).samples)
    assert trace.completed and len(trace.samples) > 2


def documents(text):
    """What Nova logged, as `gcloud logging read` prints it, but for the order: as many lines as there are in `text`."""
    at = [f"2024-05-12T12:{number // 60:02}:{number % 60:02}.123456789Z" for number in range(1000)]
    return [
        f"---\ninsertId: x{number}\ntextPayload: '{line.replace(chr(39), chr(39) * 2)}'\ntimestamp: '{at[number]}'\n"
        for number, line in enumerate(text.splitlines())
    ]


NOVA = (TOP / "selftests" / "texts" / "nova-2023-completed.txt").read_text()


@pytest.mark.parametrize("behind", ["", "---\ninsertId: cut"])
def test_documents_of_yaml_may_have_the_newest_first(behind):
    entries = documents(NOVA)
    whole = parse("".join(entries).encode())
    trace = parse("".join([*entries[::-1], behind]).encode())
    assert list(trace.samples) == list(whole.samples) and trace.notes == whole.notes
    assert trace.completed and len(trace.samples) > 2


def test_a_long_export_may_have_its_newest_document_first(monkeypatch):
    entries = documents(NOVA)
    monkeypatch.setattr(order, "MAIL_BYTES", len(entries[-1]) + len(entries[-2]) + 10)
    given = "".join(entries[::-1]).encode()
    trace = parse(given)
    assert list(trace.samples) == list(parse("".join(entries).encode()).samples)
    monkeypatch.setattr(order, "MOST_BYTES", len(given) - 1)
    with pytest.raises(UsageError, match="^is a log with its newest line first; give it as `tac FILE` prints it$"):
        parse(given)


def test_documents_stay_as_they_are_unless_the_time_of_each_falls():
    first, second, third = (one.encode() for one in documents("a\nb\nc"))
    assert are_newest_first(third + second) and not are_newest_first(third) and not are_newest_first(third + third)
    assert not are_newest_first(third + first + second) and not are_newest_first(b"x\n" + third + second)
    assert not are_newest_first(third + b"---\ninsertId: x\n" + second)
    assert not are_newest_first(third + second.replace(b"2024", b"at 2024") + first)


def test_kibanas_times_are_times():
    cells = [
        f'"May 12, 2025 @ 10:00:{20 * second:02}.000","{line.replace(chr(34), chr(34) * 2)}"'
        for second, line in enumerate(SHOWN)
    ]
    whole = parse("\n".join(SHOWN).encode())
    assert list(parse("\n".join(['"@timestamp",message', *cells[::-1]]).encode()).samples) == list(whole.samples)
