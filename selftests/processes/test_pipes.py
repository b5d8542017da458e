# SPDX-License-Identifier: GPL-2.0-or-later
"""A pipe is read while somebody writes it, up to a limit; one that nobody writes is not waited for without end."""

import gzip
import os
import subprocess
import threading

import pytest

from avocado_migdowntime.basics import input_file
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.trace import bounds

HEADER = b'{"qemu":{},"migrate-parameters":{"downtime-limit":300}}\n'
SAMPLE = b'{"t":0,"latency_ms":0,"query-migrate":{}}\n'


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


MIXED = HEADER + b"".join(SAMPLE.replace(b"{}", b'{"x":%d}' % (n * n % 1_000_003)) for n in range(60_000))
"""More than 2 MiB, and compressed not so little that it is refused for that."""
PIPED = {
    "unrelated lines": "exec yes",
    "a recording": 'cat recording; exec yes \'{"t":0,"latency_ms":0,"query-migrate":{}}\'',
    "a compressed recording": "exec cat recording.gz",
}


@pytest.mark.parametrize("what", PIPED)
@pytest.mark.parametrize("is_named", [False, True])
def test_a_pipe_of_short_lines_is_read_up_to_a_limit(tmp_path, monkeypatch, what, is_named):
    monkeypatch.setattr(bounds, "_PIPE_MIB", 2)
    (tmp_path / "recording").write_bytes(MIXED)
    (tmp_path / "recording.gz").write_bytes(gzip.compress(MIXED))
    with subprocess.Popen(["sh", "-c", PIPED[what]], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as writer:
        monkeypatch.setattr("sys.stdin", writer.stdout)
        name = f"/dev/fd/{writer.stdout.fileno()}" if is_named else "-"
        sentence = (
            f"^{name if is_named else 'standard input'}: holds more than 2 MiB, the most that is read from a pipe"
        )
        try:
            with pytest.raises(UsageError, match=sentence):
                read(name)
        finally:
            writer.kill()


def test_a_file_may_hold_more_than_a_pipe(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "_PIPE_MIB", 2)
    (tmp_path / "recording").write_bytes(MIXED)
    with (tmp_path / "recording").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert len(read("-").samples) == len(read(str(tmp_path / "recording")).samples) == 60_000


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
