# SPDX-License-Identifier: GPL-2.0-or-later
"""What is too much, or does not come, is refused in a sentence, for little memory and time."""

import gzip
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from avocado_migdowntime.basics import input_file
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse, read

from ..support.documents import TOP
from ..support.waiting import HANGS_S

HEADER = b'{"qemu":{},"migrate-parameters":{"downtime-limit":300}}\n'
SAMPLE = b'{"t":0,"latency_ms":0,"query-migrate":{}}\n'
MANY = 500_000
"""Samples: what they take uncompressed is no more than 25 MB."""


def memory_bytes(directory, *arguments):
    """The greatest memory that a command took, and what it said."""
    program = "from avocado_migdowntime.__main__ import main; main(); print(open('/proc/self/status').read())"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS_S,
    )
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", done.stdout)[1]), done.stderr


def bomb(path, begin, again, times):
    """A small file that makes much; gives its name."""
    members = [gzip.compress(part, compresslevel=1) for part in (begin, again * 1000)]
    path.write_bytes(members[0] + members[1] * (times // 1000))
    return path.name


@pytest.mark.parametrize(
    ("begin", "again", "times", "most_bytes", "what"),
    [
        (b"", b"\0" * 1000, 1_000_000, 100_000_000, "is no text"),
        (b"", b"x" * 1000, 1_000_000, 100_000_000, "holds a line of more than 4 MiB"),
        (b"", b"\n" * 1000, 100_000, 100_000_000, "decompresses to more than recordings hold"),
        (b"", b" " * 1000, 100_000, 100_000_000, "holds a line of more than 4 MiB"),
        (HEADER, SAMPLE, 3_000_000, 200_000_000, "decompresses to more than recordings hold"),
        (
            HEADER + SAMPLE,
            b'{"t":0,"event":{"event":"","data":{"a":[' + b"[]," * 2000 + b"[]]}}}\n",
            5000,
            600_000_000,  # Of nested lists Python makes 24 times as much as they are; of nothing else that much.
            "MiB of them",
        ),
    ],
)
def test_a_small_file_that_makes_much_costs_little(tmp_path, begin, again, times, most_bytes, what):
    name = bomb(tmp_path / "bomb.gz", begin, again, times)
    taken, said = memory_bytes(tmp_path, "analyze", "--quiet", name)
    assert what in said and said.count("\n") == 1
    assert taken < 10 * (tmp_path / name).stat().st_size + most_bytes


def test_many_samples_are_read_for_little(tmp_path):
    plain = HEADER + SAMPLE * MANY
    (tmp_path / "many.jsonl").write_bytes(plain)
    taken, said = memory_bytes(tmp_path, "analyze", "--quiet", "many.jsonl")
    assert said == "" and taken < 10 * len(plain) + 100_000_000
    assert len(read(str(tmp_path / "many.jsonl")).samples) == MANY


def test_a_compressed_recording_may_be_long(tmp_path):
    rows = (f'{{"t": {n * 0.02}, "latency_ms": {n % 997 / 1000}, "query-migrate": {{}}}}' for n in range(MANY))
    (tmp_path / "long.gz").write_bytes(gzip.compress(HEADER + "\n".join(rows).encode(), compresslevel=1))
    assert len(read(str(tmp_path / "long.gz")).samples) == MANY


def test_a_line_may_be_as_long_as_its_limit_and_no_longer():
    for size, taken in ((4 << 20, True), ((4 << 20) + 1, False)):
        line = b'{"t":0,"latency_ms":0,"query-migrate":{"x":"' + b"x" * (size - 47) + b'"}}'
        assert len(line) == size
        if taken:
            assert len(parse(HEADER + line + b"\n" + SAMPLE).samples) == 2
        else:
            with pytest.raises(UsageError, match="^holds a line of more than 4 MiB; expected"):
                parse(HEADER + line + b"\n" + SAMPLE)


def test_more_events_than_any_migration_has_are_refused():
    event = b'{"t":0,"event":{"event":"A","data":{"a":"' + b"x" * 1000 + b'"}}}\n'
    assert len(parse(HEADER + SAMPLE + event * 5_900).events) == 5_900
    with pytest.raises(UsageError, match=r"^line \d+: is one event too many: a recording holds at most 6 MiB of them$"):
        parse(HEADER + SAMPLE + event * 6_200)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom", "/dev/null"])
def test_a_device_is_not_read(device):
    with pytest.raises(UsageError, match=f"^{device}: is a device where a file was expected$"):
        read(device)


def test_what_never_ends_is_given_up(tmp_path):
    name = tmp_path / "endless"
    os.mkfifo(name)
    writer = subprocess.Popen(["sh", "-c", f"exec yes x | tr -d '\\n' >{name}"], stderr=subprocess.DEVNULL)
    try:
        with pytest.raises(UsageError, match="holds a line of more than 4 MiB"):
            read(str(name))
    finally:
        writer.kill()
        writer.wait()


def test_a_pipe_that_nobody_writes_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(input_file, "WRITER_S", 0.2)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(
        UsageError, match="pipe: is a pipe that no process opened for writing within 0.2 s; start the writer"
    ):
        read(str(tmp_path / "pipe"))


@pytest.mark.parametrize("pause_s", [0, 0.3])
def test_one_that_somebody_writes_is(tmp_path, monkeypatch, pause_s):
    monkeypatch.setattr(input_file, "WRITER_S", 0.2)
    os.mkfifo(tmp_path / "pipe")
    gone = threading.Event()

    def write():
        with (tmp_path / "pipe").open("wb") as pipe:
            gone.wait(pause_s)
            pipe.write(HEADER)
            pipe.flush()
            gone.wait(pause_s)
            pipe.write(SAMPLE)

    writer = threading.Thread(target=write)
    writer.start()
    assert len(read(str(tmp_path / "pipe")).samples) == 1
    writer.join()


def test_a_file_is_read_whole_up_to_a_limit(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 1000)
    assert input_file.whole(str(tmp_path / "file"), 1000) == b"x" * 1000
    with pytest.raises(UsageError, match="^holds more than 0 MB"):
        input_file.whole(str(tmp_path / "file"), 999)
    with pytest.raises(FileNotFoundError):
        input_file.whole(str(Path(tmp_path, "none")), 1)
    with pytest.raises(IsADirectoryError):
        input_file.whole(str(tmp_path), 1)
