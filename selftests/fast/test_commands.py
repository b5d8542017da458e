# SPDX-License-Identifier: GPL-2.0-or-later
"""What all commands have in common: help with an example, exit statuses, lines that fit a terminal, quiet ends."""

import argparse
import re
import shlex
import sys
import threading
from contextlib import contextmanager

import pytest

from avocado_migdowntime.cli import COMMANDS, UNTOLD, progress
from avocado_migdowntime.cli import main as subcommands
from avocado_migdowntime.cli.progress import teller
from avocado_migdowntime.record.binding import binding
from avocado_migdowntime.report.verdict_text import columns

from ..support import recorded
from ..support.waiting import HANGS_S

STOPPED = str(recorded.STOPPED)


def parser():
    made = argparse.ArgumentParser(prog="avocado migdowntime")
    subcommands.add_to(made)
    return made


@pytest.fixture
def help_of(capsys):
    """The help as it stands there, its lines joined."""

    def printed(*words):
        with pytest.raises(SystemExit, match="^0$"):
            parser().parse_args([*words, "--help"])
        return re.sub(r"\s+", " ", capsys.readouterr().out)

    return printed


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_its_exit_statuses_and_an_example_that_is_understood(name, help_of):
    text = help_of(name)
    assert "exit status:" in text.lower() and re.search(r"\b(2|129) bad input", text)
    example = re.search(rf"xamples?: avocado migdowntime {name}([^|;]*?)(?: avocado | while |$)", text)[1]
    given = parser().parse_args([name, *shlex.split(example)])
    assert given.migdowntime_run.__module__ == f"avocado_migdowntime.cli.{name}"


@pytest.mark.parametrize(
    ("words", "without", "says"),
    [
        ("faulty kb --output faulty-qemu", None, "no qemu-system-* is on the PATH"),
        ("selftest none", None, "no qemu-system-* is on the PATH"),
        ("judge", None, "no qemu-system-* is on the PATH"),
        ("qemu add bookworm", None, "this host has no apt-get"),
        ("record qemu:///system guest --output recording.jsonl", "libvirt", "libvirt's Python binding cannot be"),
        ("watch qemu:///system guest", "libvirt", "libvirt's Python binding cannot be"),
        ("watch qmp.sock --metrics 9100", "prometheus_client", "metrics need the package"),
    ],
)
def test_what_this_host_lacks_has_one_status_and_is_named(words, without, says, tmp_path, monkeypatch, capsys):
    binding.cache_clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if without:
        monkeypatch.setitem(sys.modules, without, None)
    assert subcommands.run(parser().parse_args(words.split())) == UNTOLD == 125
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith(f"migdowntime {words.split()[0]}: {says}")


def test_a_package_that_is_missing_is_named_with_what_installs_it(capsys):
    def needs_jinja2(arguments):
        raise ModuleNotFoundError(name="jinja2")

    needs_jinja2.__module__ = "avocado_migdowntime.cli.report"
    assert subcommands.run(argparse.Namespace(migdowntime_run=needs_jinja2, migdowntime_unusable=2)) == UNTOLD
    said = "there is no module jinja2, which this command needs; install this package: pip install ."
    assert capsys.readouterr() == ("", f"migdowntime report: {said}\n")


def test_a_table_that_is_too_wide_becomes_blocks():
    rows = [("name", "error, %"), ("new", "+0.5"), ("old", "-0.1")]
    assert columns(rows, width=14) == "name  error, %\nnew       +0.5\nold       -0.1"
    assert columns(rows, width=13) == "name      new\nerror, %  +0.5\n\nname      old\nerror, %  -0.1"


@pytest.mark.parametrize(
    "words", ["advise", "analyze", "doctor", "judge", "qemu add", "record", "report", "score", "selftest", "verify"]
)
def test_a_command_that_tells_how_far_it_is_can_be_quiet(words, help_of):
    assert "--quiet print no progress on standard error" in help_of(*words.split())


def test_progress_goes_to_standard_error_unless_it_is_not_wanted(capsys):
    for quiet, told in ((False, "migdowntime doctor: half-way\n"), (True, "")):
        teller("doctor", argparse.Namespace(quiet=quiet))("half-way")
        assert capsys.readouterr() == ("", told)


@contextmanager
def held_open(say, what):
    """As `lasting`, but it ends only once something was said."""
    said = threading.Event()

    def told(text):
        say(text)
        said.set()

    with progress.lasting(told, what):
        yield
        assert said.wait(HANGS_S)


@pytest.mark.parametrize("words", ["advise", "analyze --json", "report --output report.html", "score"])
def test_a_command_that_reads_for_long_tells_so(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "_PROGRESS_EVERY_S", 0.001)
    monkeypatch.chdir(tmp_path)
    name, *options = words.split()
    monkeypatch.setattr(f"avocado_migdowntime.cli.{name}.lasting", held_open)
    for quiet in (False, True):
        subcommands.run(parser().parse_args([name, STOPPED, *options, *["--quiet"] * quiet]))
        told = [line for line in capsys.readouterr().err.splitlines() if "so far" in line]
        assert bool(told) is not quiet
        assert all(
            re.fullmatch(rf"migdowntime {name}: (judging|reading) {re.escape(STOPPED)}, \d+ s so far", line)
            for line in told
        )
