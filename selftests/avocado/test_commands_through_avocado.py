# SPDX-License-Identifier: GPL-2.0-or-later
"""What all commands have in common, through Avocado: help, lines that fit a terminal, quiet ends."""

import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import termios

import pytest

from avocado_migdowntime.cli import COMMANDS

from ..support import recorded
from ..support.avocado_command import avocado, command
from ..support.documents import TOP
from ..support.recorded import recording
from ..support.waiting import HANGS_S

STOPPED = str(recorded.STOPPED)


def test_the_help_of_all_names_each_command_and_where_to_begin(tmp_path):
    done = avocado(tmp_path, "migdowntime", "--help")
    assert done.status == 0 and "avocado migdowntime doctor" in re.sub(r"\s+", " ", done.output)
    assert all(f"\n  {name} " in done.output for name in COMMANDS)


def on_terminal(tmp_path, width, *arguments):
    """What a terminal of this width shows of a command."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    line, environment = command(tmp_path, "migdowntime", *arguments)
    environment.pop("COLUMNS", None)
    with subprocess.Popen(line, cwd=TOP, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                chunk = os.read(ours, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            shown += chunk
    os.close(ours)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def piped(directory, *arguments):
    return avocado(directory, "migdowntime", *arguments).output


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", STOPPED),
        ("advise", str(recording("x86_64-kvm-qemu-7.2"))),
        ("score", STOPPED),
        ("list",),
        ("faulty", "--list"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_a_command_prints_fits_the_terminal_without_colour(arguments, width, tmp_path, once):
    status, shown = on_terminal(tmp_path, width, *arguments)
    assert status == 0 and "\x1b" not in shown
    lines = [line for line in shown.splitlines() if not line.endswith(".jsonl.gz")]  # a file's name stays whole
    assert len(lines) > 5 and max(map(len, lines)) <= width
    as_piped = once(piped, *arguments)
    assert re.sub(r"\s+", "", shown) == re.sub(r"\s+", "", as_piped) or arguments[0] == "score"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_ctrl_c_ends_a_command_without_a_word(number, tmp_path):
    trace = tmp_path / "trace"
    os.mkfifo(trace)
    # On a busy host there may else be a line of progress, after two seconds.
    line, environment = command(tmp_path, "migdowntime", "analyze", "--quiet", str(trace))
    process = subprocess.Popen(line, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with trace.open("wb"):  # Opens when the command has opened it, too, and waits for what comes.
        process.send_signal(number)
        said = process.communicate(timeout=HANGS_S)[1]
    assert (process.returncode, said) == (130, "")


@pytest.mark.parametrize(
    ("closed", "status", "told"),
    [
        (">&-", 2, "migdowntime: the output cannot be written: the standard output is closed\n"),
        ("2>&-", 0, '"formulas": ['),
    ],
)
def test_a_standard_output_or_error_that_is_closed_is_no_crash(closed, status, told, tmp_path):
    line, environment = command(tmp_path, "migdowntime", "list", "--json", "formulas")
    done = subprocess.run(f"{shlex.join(line)} {closed}", shell=True, env=environment, capture_output=True, text=True)
    assert done.returncode == status and told in done.stdout + done.stderr


def test_progress_is_not_told_on_standard_output_where_standard_error_is_closed(tmp_path):
    answer = '{"status": "active", "ram": {"total": 8, "remaining": 4, "page-size": 4, "normal": 1, "duplicate": 0, '
    answer += '"dirty-sync-count": 1, "mbps": 1, "dirty-pages-rate": 0}}'
    line, environment = command(tmp_path, "migdowntime", "record", "-", "-o", str(tmp_path / "trace.jsonl"))
    done = subprocess.run(
        f"{shlex.join(line)} 2>&-", shell=True, env=environment, input=answer, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "") and "query-migrate" in (tmp_path / "trace.jsonl").read_text()
