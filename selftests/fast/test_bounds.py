# SPDX-License-Identifier: GPL-2.0-or-later
"""What is too much, or does not come, is refused in a sentence, in time."""

import gzip
import os
import subprocess
import threading
from pathlib import Path

import pytest

from avocado_migdowntime.basics import input_file
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse, read
from avocado_migdowntime.trace import bounds

HEADER = b'{"qemu":{},"migrate-parameters":{"downtime-limit":300}}\n'
SAMPLE = b'{"t":0,"latency_ms":0,"query-migrate":{}}\n'


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


def test_what_is_called_a_file_and_waits_for_more_ends_with_what_is_there(tmp_path, monkeypatch):
    """As /proc/kmsg does for root; here a pipe that is called a file."""
    os.mkfifo(tmp_path / "file")
    both = os.open(tmp_path / "file", os.O_RDWR)
    os.write(both, HEADER + SAMPLE)
    monkeypatch.setattr(input_file.stat, "S_ISFIFO", lambda mode: False)
    monkeypatch.setattr(input_file.stat, "S_ISREG", lambda mode: True)
    assert len(read(str(tmp_path / "file")).samples) == 1
    os.close(both)


def test_a_file_is_read_whole_up_to_a_limit(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 1000)
    assert input_file.whole(str(tmp_path / "file"), 1000) == b"x" * 1000
    with pytest.raises(UsageError, match="^holds more than 0 MB"):
        input_file.whole(str(tmp_path / "file"), 999)
    with pytest.raises(FileNotFoundError):
        input_file.whole(str(Path(tmp_path, "none")), 1)
    with pytest.raises(IsADirectoryError):
        input_file.whole(str(tmp_path), 1)
