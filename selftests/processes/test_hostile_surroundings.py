# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that cannot be started, one whose path is no UTF-8, a caller that ignores SIGCHLD, and too few open files."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from avocado_migdowntime.cli import main
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.qemu.probe import probe

from ..support.documents import TOP
from ..support.made_up_qemu import made_up_qemu

STARTS_ONE = """
import asyncio
from avocado_migdowntime.basics.event_loop import run

async def start():
    process = await asyncio.create_subprocess_exec("sh", "-c", "exit 3")
    return await process.wait()

print(run(start()))
"""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Exec format error"),
        (b"\x7fELF", "Exec format error"),
        (b"#!/no/such/interpreter\n", "its interpreter or loader does not exist"),
    ],
)
def test_a_qemu_that_cannot_be_started_is_told_with_the_reason(content, why, tmp_path, sockets):
    binary = tmp_path / "qemu"
    binary.write_bytes(content)
    binary.chmod(0o755)
    with pytest.raises(UsageError) as caught:
        asyncio.run(probe(str(binary), tmp_path, sockets))
    assert str(caught.value) == f"{binary} cannot be started: {why}; give the path of a qemu-system-*"


def test_a_qemu_whose_path_is_no_utf_8_is_started(tmp_path, sockets):
    place = tmp_path / os.fsdecode(b"n\xff")
    place.mkdir()
    binary = made_up_qemu(place / "qemu")
    assert asyncio.run(probe(binary, tmp_path, sockets)).binary == binary
    (command,) = tmp_path.glob("*.command")
    assert os.fsencode(place) in command.read_bytes()


def test_how_a_process_ended_is_known_even_if_sigchld_was_ignored():
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run(
        ["sh", "-c", "trap '' CHLD; exec \"$@\"", "sh", sys.executable, "-c", STARTS_ONE],
        **{"env": environment, "capture_output": True, "text": True, "check": False},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")
    assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL


def test_where_no_temporary_directory_can_be_used_it_is_said(tmp_path, monkeypatch, capsys):
    """Not that the current directory is gone: tempfile raises the same error for a full disk."""

    def on_a_full_disk(arguments):
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    with Path(tmp_path, "output").open("w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert main.run(Namespace(migdowntime_run=on_a_full_disk, migdowntime_unusable=2)) == 2
    said = "migdowntime: No usable temporary directory found in ['/tmp']; make room in one of them, or set TMPDIR to "
    assert capsys.readouterr().err == f"{said}a directory that you can write to\n"


def test_too_few_open_files_are_not_taken_for_an_output_that_is_full(tmp_path, monkeypatch, capsys):
    def opens_many(arguments):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with Path(tmp_path, "output").open("w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert main.run(Namespace(migdowntime_run=opens_many, migdowntime_unusable=2)) == 2
    said = "migdowntime: no more files can be opened: Too many open files; raise the limit, see ulimit -n\n"
    assert capsys.readouterr().err == said
