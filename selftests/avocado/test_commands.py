# SPDX-License-Identifier: GPL-2.0-or-later
"""What all commands have in common: help with an example, exit statuses, lines that fit a terminal, quiet ends."""

import argparse
import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from avocado_migdowntime.cli import COMMANDS, progress
from avocado_migdowntime.cli import main as subcommands
from avocado_migdowntime.cli.progress import teller
from avocado_migdowntime.report.verdict_text import columns

from ..support.avocado_command import avocado, command

TOP = Path(__file__).parents[2]
RECORDINGS = Path(__file__).parents[1] / "recordings"
STOPPED = str(RECORDINGS / "ppc64-tcg-qemu-7.2-stopped-in-mid-pass.jsonl.gz")


def parser():
    made = argparse.ArgumentParser(prog="avocado migdowntime")
    subcommands.add_to(made)
    return made


def help_of(*words):
    """The help as it stands there, its lines joined."""
    line = [sys.executable, "-m", "avocado_migdowntime", *words, "--help"]
    done = subprocess.run(line, cwd=TOP, capture_output=True, text=True, check=True)
    return re.sub(r"\s+", " ", done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_its_exit_statuses_and_an_example_that_is_understood(name):
    text = help_of(name)
    assert "exit status:" in text.lower() and re.search(r"\b(2|129) (bad input|the host could not)", text)
    example = re.search(rf"xamples?: avocado migdowntime {name}([^|;]*?)(?: avocado | while |$)", text)[1]
    given = parser().parse_args([name, *shlex.split(example)])
    assert given.migdowntime_run.__module__ == f"avocado_migdowntime.cli.{name}"


def test_the_help_of_all_names_each_command_and_where_to_begin(tmp_path):
    done = avocado(tmp_path, "migdowntime", "--help")
    assert done.status == 0 and "avocado migdowntime doctor" in re.sub(r"\s+", " ", done.output)
    assert all(f"\n    {name} " in done.output for name in COMMANDS)


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


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", STOPPED),
        ("advise", str(RECORDINGS / "x86_64-kvm-qemu-7.2.jsonl.gz")),
        ("score", STOPPED),
        ("list",),
        ("faulty", "--list"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_a_command_prints_fits_the_terminal_without_colour(arguments, width, tmp_path):
    status, shown = on_terminal(tmp_path, width, *arguments)
    assert status == 0 and "\x1b" not in shown
    lines = [line for line in shown.splitlines() if not line.endswith(".jsonl.gz")]  # a file's name stays whole
    assert len(lines) > 5 and max(map(len, lines)) <= width
    piped = avocado(tmp_path, "migdowntime", *arguments).output
    assert re.sub(r"\s+", "", shown) == re.sub(r"\s+", "", piped) or arguments[0] == "score"


def test_a_table_that_is_too_wide_becomes_blocks():
    rows = [("name", "error, %"), ("new", "+0.5"), ("old", "-0.1")]
    assert columns(rows, width=14) == "name  error, %\nnew       +0.5\nold       -0.1"
    assert columns(rows, width=13) == "name      new\nerror, %  +0.5\n\nname      old\nerror, %  -0.1"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_ctrl_c_ends_a_command_without_a_word(number, tmp_path):
    trace = tmp_path / "trace"
    os.mkfifo(trace)
    line, environment = command(tmp_path, "migdowntime", "analyze", str(trace))
    process = subprocess.Popen(line, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with trace.open("wb"):  # Opens when the command has opened it, too, and waits for what comes.
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
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


@pytest.mark.parametrize(
    "words", ["advise", "analyze", "doctor", "qemu add", "record", "report", "score", "selftest", "verify"]
)
def test_a_command_that_tells_how_far_it_is_can_be_quiet(words):
    assert "--quiet no word of progress on standard error" in help_of(*words.split())


def test_progress_goes_to_standard_error_unless_it_is_not_wanted(capsys):
    for quiet, told in ((False, "migdowntime doctor: half-way\n"), (True, "")):
        teller("doctor", argparse.Namespace(quiet=quiet))("half-way")
        assert capsys.readouterr() == ("", told)


@pytest.mark.parametrize("words", ["advise", "analyze --json", "report --output report.html", "score"])
def test_a_command_that_reads_for_long_tells_so(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "_PROGRESS_EVERY_S", 0.001)
    monkeypatch.chdir(tmp_path)
    name, *options = words.split()
    for quiet in (False, True):
        subcommands.run(parser().parse_args([name, STOPPED, *options, *["--quiet"] * quiet]))
        told = [line for line in capsys.readouterr().err.splitlines() if "so far" in line]
        assert bool(told) is not quiet
        assert all(
            re.fullmatch(rf"migdowntime {name}: (judging|reading) {re.escape(STOPPED)}, \d+ s so far", line)
            for line in told
        )


def without_avocado(directory, *arguments):
    line = "import sys; sys.modules['avocado'] = None; from avocado_migdowntime.__main__ import main; sys.exit(main())"
    environment = {**os.environ, "HOME": str(directory)}
    return subprocess.run(
        [sys.executable, "-c", line, *arguments], cwd=TOP, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("arguments", [["analyze", STOPPED], ["list"], ["qemu", "list"]], ids=" ".join)
def test_a_host_without_avocado_has_the_commands_too(arguments, tmp_path):
    done = without_avocado(tmp_path, *arguments)
    assert done.returncode in (0, 1) and done.stdout and not done.stderr


def test_what_runs_tests_says_that_it_takes_avocado(tmp_path):
    done = without_avocado(tmp_path, "verify", "--qemu", "/usr/bin")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (129, "", 1)
    assert "tests are run by Avocado; install this package: pip install ." in done.stderr
