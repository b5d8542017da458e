# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes through a pipe, as it is or in gzip files, is read as it comes."""

import gzip
import os

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.record.new_trace import NewTrace
from avocado_migdowntime.record.pipe import Pipe
from avocado_migdowntime.record.piped import record
from avocado_migdowntime.trace.file import plain_chunks
from avocado_migdowntime.trace.gunzip import CUT_OFF, FOREIGN

from ..support.virsh_output import ALL_ANSWERS, RECORDING

ANSWERS = RECORDING.read_bytes()
PLAIN = gzip.decompress(ANSWERS)
ONE, TWO = gzip.compress(b"one\n", mtime=0), gzip.compress(b"two\n", mtime=0)


@pytest.fixture
def ends():
    """A pipe's reader, and a function that writes into it."""
    reader, writer = os.pipe()
    files = [os.fdopen(reader, "rb", 0), os.fdopen(writer, "wb", 0)]
    notes = []
    yield Pipe(reader, notes.append), files[1], notes
    for file in files:
        file.close()


def test_a_part_of_a_gzip_file_is_text_as_far_as_it_goes(ends):
    pipe, writer, _ = ends
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    texts = []
    for byte in packed:
        writer.write(bytes([byte]))
        assert pipe.has_more(1)
        texts.append(pipe.read())
        assert not pipe.is_at_end
    assert not pipe.has_more(0) and b"".join(texts) == b"one\ntwo\n"
    writer.close()
    assert pipe.has_more(1) and pipe.read() == b"" and pipe.is_at_end


def test_text_stays_as_it_is(ends):
    pipe, writer, _ = ends
    writer.write(b"a \x1f\x8b in the middle")
    assert pipe.read() == b"a \x1f\x8b in the middle"


@pytest.mark.parametrize(
    ("given", "text", "noted"),
    [
        (ONE + b"more", b"one\n", [FOREIGN]),
        (ONE + b"\x1fmore", b"one\n", [FOREIGN]),
        (ONE + b"\x1f", b"one\n", [FOREIGN]),
        (ONE + bytes(500), b"one\n", []),
        (ONE + bytes(500) + b"more", b"one\n", [FOREIGN]),
        (ONE + TWO, b"one\ntwo\n", []),
        (ONE + TWO + b"more" + TWO, b"one\ntwo\n", [FOREIGN]),
        (ONE[:-3], b"one\n", [CUT_OFF]),
        (ONE + b"\x1f\x8b", b"one\n", [CUT_OFF]),
    ],
    ids=range(9),
)
def test_what_follows_a_gzip_file_is_ignored_and_said_as_of_a_file(given, text, noted, ends):
    for size in (len(given), 1):
        of_file = []
        assert b"".join(plain_chunks(iter(parts(given, size)), of_file)) == text and of_file == noted
    pipe, writer, of_pipe = ends
    writer.write(given)
    writer.close()
    read = b""
    while not pipe.is_at_end:
        read += pipe.read()
    assert (read, of_pipe) == (text, noted)


def parts(data, size):
    """The data as a reader of a file gets it, whose first part has more than a byte."""
    return [data[:2], *(data[begin : begin + size] for begin in range(2, len(data), size))]


@pytest.mark.parametrize(
    "damaged",
    [b"\x1f\x8bno gzip file", gzip.compress(b"one\n", mtime=0) + b"\x1f\x8bno gzip file"],
    ids=["head", "end"],
)
def test_a_damaged_one_is_refused_in_a_sentence(damaged, ends):
    pipe, writer, _ = ends
    writer.write(damaged)
    with pytest.raises(UsageError, match=r"^standard input is a damaged gzip file \(.*\); pipe the text itself$"):
        pipe.read()


def test_what_became_a_thousand_times_as_small_is_read_in_parts(ends):
    pipe, writer, _ = ends
    writer.write(gzip.compress(bytes(20 << 20)))
    sizes = []
    while sum(sizes) < 20 << 20:
        sizes.append(len(pipe.read()))
    assert max(sizes) <= 5 << 20


@pytest.mark.long
def test_a_packed_recording_is_recorded_like_the_plain_one(tmp_path):
    traces = []
    for name, given in (("plain", PLAIN), ("packed", ANSWERS)):
        (tmp_path / name).write_bytes(given)
        with (tmp_path / name).open("rb") as file:
            record(file.fileno(), NewTrace(str(tmp_path / f"{name}.jsonl")), 60, None, lambda _: None)
        traces.append(read(str(tmp_path / f"{name}.jsonl")))
    assert list(traces[0].samples) == list(traces[1].samples) and len(traces[0].samples) == len(ALL_ANSWERS)
