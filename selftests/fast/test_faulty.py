# SPDX-License-Identifier: GPL-2.0-or-later
"""What puts a fault between a QEMU and its user: its arguments, and how it is made."""

import argparse
import os
import resource
import subprocess
from pathlib import Path

import pytest

from avocado_migdowntime.cli import faulty as command
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.faults.catalogue import KINDS, named_fault
from avocado_migdowntime.faulty import monitors
from avocado_migdowntime.faulty.framing import Framing
from avocado_migdowntime.faulty.launcher import MARK, write

from ..support.limits import limited


def run(*arguments):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(list(map(str, arguments))))


@pytest.mark.parametrize("name", ["qemu", 'a $(touch made)\'; touch "made" & `touch made` #'])
def test_a_qemu_that_is_gone_is_named_and_no_name_is_a_command(tmp_path, name):
    other = tmp_path / name
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    launcher = tmp_path / "launcher"
    assert run("kb", "--qemu", other, "--output", launcher) == 0
    other.unlink()
    done = subprocess.run([launcher], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"{other} with the fault kb: No such file or directory\n")
    assert os.listdir(tmp_path) == ["launcher"]


OWN = "-chardev socket,{}id=faulty-qmp,fd=9 -mon chardev=faulty-qmp,mode=control"
IN_FULL = "-mon chardev=c,mode=control,id=x -chardev socket,id=c,path=/a,reconnect=1,logfile=/l,,m -m 1G"
BARE = "-chardev socket,id=c,path=/a,server,nowait -mon c,mode=control"


@pytest.mark.parametrize(
    ("arguments", "path", "listens", "rewritten"),
    [
        ("-m 1G -qmp unix:/a,,b", "/a,b", False, f"-m 1G {OWN.format('')}"),
        ("--qmp-pretty unix:path=/a,server=on", "/a", True, f"{OWN.format('server=on,')},pretty=on"),
        (IN_FULL, "/a", False, IN_FULL.replace("path=/a,reconnect=1,logfile=/l,,m", "logfile=/l,,m,fd=9")),
        (BARE, "/a", True, BARE.replace("path=/a,server,nowait", "server=on,wait=off,fd=9")),
    ],
)
def test_the_monitor_is_found_in_the_arguments_and_replaced(arguments, path, listens, rewritten):
    found = monitors.find(arguments.split())
    assert (found.path, found.listens) == (path, listens)
    assert " ".join(found.with_descriptor(9)) == rewritten


@pytest.mark.parametrize(
    "arguments", [[], ["-qmp"], ["-mon", "chardev=c"], ["-monitor", "stdio"], ["-chardev", "socket,id=c,path=/a"]]
)
def test_without_a_qmp_monitor_there_is_nothing_to_replace(arguments):
    assert monitors.find(arguments) is None


def test_a_line_that_is_no_json_is_handed_on_as_it_is():
    framing = Framing()
    assert list(framing.feed(b'{"a": 1}{nonsense}\n')) == [(b'{"a": 1}', {"a": 1}), (b"{nonsense}\n", None)]
    assert list(framing.feed(b'{"b": 2}')) == [(b'{"b": 2}', {"b": 2})]


def test_the_list_has_a_sentence_for_each_fault(capsys):
    assert run("--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0].partition("=")[0] for line in lines] == list(KINDS)
    assert "factor=FACTOR         expected-downtime is FACTOR times the correct one" in lines


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["kb"], "give a FAULT and --output FILE, or --list"),
        (["frost", "--output", "new"], "unknown fault 'frost'"),
        (["kb", "--output", "/nowhere/new"], "/nowhere/new: the launcher cannot be written: No such file or directory"),
        (
            ["kb", "--output", "mine"],
            "mine exists and was not written by this command; give another name with --output",
        ),
        (["kb", "--output", "new", "--qemu", "/no/such"], "/no/such does not exist"),
    ],
)
def test_what_cannot_be_made_is_said_in_a_sentence(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text("precious")
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"migdowntime faulty: {says}") and captured.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["mine"] and Path("mine").read_text() == "precious"


@pytest.mark.parametrize("kind", ["pipe", "link to a device", "link to nowhere", "directory"])
def test_what_is_no_file_is_no_launcher_and_is_not_read(kind, capsys, tmp_path):
    path = tmp_path / "launcher"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if kind == "link to a device" else tmp_path / "nowhere")
    assert run("kb", "--output", path) == 2
    assert f"{path} exists and was not written by this command" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["launcher"]


def test_a_full_disk_leaves_no_launcher(capsys, tmp_path):
    with limited(resource.RLIMIT_FSIZE, 10):
        assert run("kb", "--output", tmp_path / "launcher") == 2
    assert "the launcher cannot be written: File too large" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
    assert run("kb", "--output", tmp_path / "launcher") == 0


def test_one_launcher_takes_the_place_of_another(tmp_path):
    path = tmp_path / "launcher"
    for fault in ("kb", "frozen"):
        assert run(fault, "--output", path) == 0
    assert MARK in path.read_text() and " frozen " in path.read_text()
    with pytest.raises(UsageError):
        monitors.find(["-qmp", "tcp:localhost:1"])


@pytest.mark.parametrize("arguments", [["-qmp", "unix:{},server=on,wait=off"], ["-qmp", "unix:{}"]])
def test_a_socket_that_cannot_be_is_told_with_the_reason(arguments, tmp_path):
    launcher = tmp_path / "faulty"
    write(launcher, named_fault("frozen"), "/bin/true")
    words = [str(launcher), *(word.format(f"/{'x' * 200}") for word in arguments)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.endswith(": AF_UNIX path too long\n")
