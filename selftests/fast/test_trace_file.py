# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading and writing traces: what was written is read, what is cut is used, what is wrong is refused in a sentence."""

import gzip
import json
from pathlib import Path

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse, read
from avocado_migdowntime.trace.file import TraceWriter, plain_chunks
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.verdict.judge import judge

RECORDING = Path(__file__).parents[1] / "recordings" / "x86_64-kvm-qemu-7.2.jsonl.gz"
HEADER = {"qemu": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "migrate-parameters": {"downtime-limit": 1}}
RAM = {
    "total": 8192,
    "remaining": 4096,
    "page-size": 4096,
    "normal": 1,
    "duplicate": 0,
    "dirty-sync-count": 1,
    "mbps": 1.5,
    "dirty-pages-rate": 7,
}


def sample(t=0.5, **ram):
    return {"t": t, "latency_ms": 0.5, "query-migrate": {"status": "active", "expected-downtime": 3, "ram": RAM | ram}}


def lines(*records):
    return "\n".join(json.dumps(record) for record in records).encode()


def test_what_is_written_is_read_at_once(tmp_path):
    path = tmp_path / "trace.jsonl"
    writer = TraceWriter(path, HEADER)
    writer.sample(0.25, 0.5, sample()["query-migrate"], "MIGRATION_PASS")
    writer.event(0.5, "source", {"event": "STOP", "data": {}})
    trace = read(str(path))  # the writer is still open: a killed run leaves just this
    assert (trace.samples[0].t_s, trace.samples[0].on, trace.samples[0].ram.dirty_pages_per_s) == (
        0.25,
        "MIGRATION_PASS",
        7,
    )
    assert (trace.events[0].name, trace.events[0].side, trace.downtime_limit_ms) == ("STOP", "source", 1)
    writer.close()


def test_plain_and_compressed_recordings_are_the_same():
    packed = RECORDING.read_bytes()
    assert judge(parse(packed)) == judge(parse(gzip.decompress(packed)))


def test_a_line_cut_in_the_middle_is_left_out_and_said():
    whole = gzip.decompress(RECORDING.read_bytes())
    trace = parse(whole[: len(whole) * 3 // 4])
    assert 300 < len(trace.samples) < len(parse(whole).samples)
    assert "cut off in line" in trace.notes[0]
    assert trace.notes[0] in judge(trace).reasons


def test_a_cut_gzip_file_is_used_up_to_there():
    trace = parse(RECORDING.read_bytes()[:9000])
    assert len(trace.samples) > 100
    assert "gzip file is cut off" in trace.notes[0]


def test_members_are_joined_and_what_lies_behind_them_is_said():
    packed = RECORDING.read_bytes()
    whole = gzip.decompress(packed)
    parts = gzip.compress(whole[:50_000]) + gzip.compress(whole[50_000:])
    assert parse(parts).samples == parse(packed).samples
    assert "gzip file is cut off" in parse(parts[:-500]).notes[0]
    assert parse(packed + b"rubbish").notes == ("bytes after the gzip file's end are ignored",)


def test_the_zeros_after_the_end_are_read_up_to_a_limit():
    """A sparse file of 10 GB takes no time."""
    packed, block, taken = RECORDING.read_bytes(), bytes(1 << 20), []

    def chunks():
        yield packed
        for number in range(10_000):
            taken.append(number)
            yield block

    notes = []
    assert parse(packed + block).notes == ()
    plain = b"".join(plain_chunks(chunks(), notes))
    assert plain == gzip.decompress(packed) and len(taken) == 5
    assert notes == ["bytes after the gzip file's end are ignored"]


WRONG = [
    (b"", "is empty"),
    (b"hello\n", "'hello' matches no known text"),
    (b"[1]\n", "'[1]' matches no known text"),
    (lines({"a": 1}), "matches no known text"),
    (lines(HEADER), "has no answer to query-migrate in it"),
    (lines(HEADER, sample(), {"x": 1}), "line 3: is neither a sample nor an event"),
    (lines(HEADER, sample(2), sample(1)), "line 3: is out of order: a sample at 1 s after one at 2 s"),
    (lines(HEADER, sample(remaining="x")), "line 2: 'remaining' is 'x' where a number from 0 up was expected"),
    (lines(HEADER, sample(normal=True)), "line 2: 'normal' is True where"),
    (lines(HEADER, sample(mbps=-1)), "line 2: 'mbps' is -1 where"),
    (lines(HEADER, {**sample(), "t": None}), "line 2: 't' is None where"),
    (lines(HEADER, {**sample(), "query-migrate": 5}), "line 2: 'query-migrate' is 5 where an object"),
    (lines(HEADER, {"t": 1, "latency_ms": 1, "query-migrate": {"status": 3}}), "line 2: 'status' is 3 where"),
    (lines(HEADER, {"t": 1, "latency_ms": 1, "query-migrate": {"ram": {}}}), "line 2: 'page-size' is missing"),
    (lines(HEADER, {"t": 1, "latency_ms": 1, "query-migrate": {"ram": 3}}), "line 2: 'ram' is 3 where an object"),
    (lines(HEADER, {"t": 1, "side": "source", "event": "STOP"}), "line 2: 'event' is 'STOP' where a QMP event"),
    (lines({**HEADER, "migrate-parameters": {"downtime-limit": "1"}}, sample()), "line 1: 'downtime-limit' is '1'"),
    (lines({**HEADER, "capabilities": "xbzrle"}, sample()), "line 1: 'capabilities' is 'xbzrle'"),
    (lines({**HEADER, "backing_page_size": "2M"}, sample()), "line 1: 'backing_page_size' is '2M'"),
    (lines({**HEADER, "qemu": {"qemu": 7}}, sample()), "line 1: 'qemu' is {'qemu': 7} where"),
    (lines(HEADER, sample()).replace(b"1.5", b"1e999"), "line 2: 'mbps' is inf where"),
    (lines(HEADER, sample()).replace(b"1.5", b"NaN") + b"\n{}", "line 2 is not JSON"),
    (b"\x1f\x8b" + b"x" * 30, "is a damaged gzip file"),
    (lines(HEADER, sample(remaining=10**400)), "line 2: 'remaining' is 1000"),
    (b"[" * 10_000 + b"\n{}", "matches no known text"),
    (lines(HEADER, {**sample(), "on": [5]}), "line 2: 'on' is [5] where"),
    (lines(HEADER, {"t": 1, "event": {"event": "STOP", "data": []}}), "line 2: 'event' is"),
    (lines(HEADER, {"t": 2, "event": {"event": "A"}}, {"t": 1, "event": {"event": "B"}}), "line 3: is out of order"),
    (lines(HEADER, {"t": 1, "latency_ms": 1, "query-migrate": {"xbzrle-cache": 3, "ram": RAM}}), "'xbzrle-cache' is 3"),
]


@pytest.mark.parametrize(("data", "words"), WRONG)
def test_a_wrong_trace_is_refused_by_its_fault(data, words):
    with pytest.raises(UsageError) as caught:
        parse(data)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_directory_are_named(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(UsageError, match=str(path)):
            read(str(path))


def test_what_was_migrated_is_said_with_who_made_the_granule():
    header = {"arch": "ppc64", "backing": "memfd", "backing_page_size": 2 << 20}
    assert Trace((), header={**header, "granule": 4096}).subject == "ppc64 on memfd pages of 2M"
    assert Trace((), header={**header, "granule": 16 << 20}).subject == (
        "ppc64 on memfd pages of 2M in granules of 16M that the guest itself writes whole"
    )
