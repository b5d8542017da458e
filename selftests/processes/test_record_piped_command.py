# SPDX-License-Identifier: GPL-2.0-or-later
"""`record -` as a command: its exit status, its sentences, and what it leaves where it cannot go on."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from avocado_migdowntime.forms.file import read

from ..support.virsh_output import ACTIVE, COMPLETED, NO_FIGURES, as_json
from ..support.waiting import HANGS_S

STUCK = Path(__file__).parents[2] / "docs/stuck.md"


def record(tmp_path, shell, *arguments):
    command = [sys.executable, "-m", "avocado_migdowntime", "record", *arguments, "-o", "trace.jsonl"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    line = f"{shell} {' '.join(command)}" + ")" * shell.count("(")
    return subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANGS_S
    )


@pytest.fixture
def record_all(warm, tmp_path):
    """Record answers that come over a pipe: the exit status, and what is printed on standard output and error."""

    def run(answers, *more):
        data = "".join(map(as_json, answers)).encode()
        done = warm.run("record", "-", "-o", "trace.jsonl", *more, cwd=tmp_path, data=data)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        ([ACTIVE, COMPLETED], 0, "2 samples in trace.jsonl, the migration completed"),
        ([ACTIVE, {**ACTIVE, "status": "failed"}], 1, "2 samples in trace.jsonl, the migration failed"),
        ([ACTIVE], 1, "1 sample in trace.jsonl, the migration was still active then"),
        (
            [ACTIVE, {"type": 0, "memory_total": 0}],
            1,
            "2 samples in trace.jsonl, the migration is over, as no job is shown any more; how it ended is not shown",
        ),
        (
            [COMPLETED],
            2,
            "the migration in this text is over: its status is completed; take `virsh qemu-monitor-command",
        ),
        ([{}], 2, f"{NO_FIGURES}; take `virsh qemu-monitor-command"),
    ],
)
def test_the_exit_status_says_how_it_ended(answers, status, words, tmp_path, record_all):
    ended, out, said = record_all(answers)
    assert (ended, out) == (status, "") and words in said
    assert Path(tmp_path, "trace.jsonl").exists() is (status != 2)


@pytest.mark.parametrize(
    ("data", "arguments", "words"),
    [
        ("hello\n", ["-"], "'hello' matches no known text"),
        ("", ["qmp.sock", "--downtime-limit", "1"], "--downtime-limit is for a pipe only; QMP and libvirt show"),
        ("", ["-", "--wait", "nonsense"], "'nonsense' is not a number from 0 to 86400"),
        ("", ["-", "--downtime-limit", "2000001"], "'2000001' is not a number from 0 to 2000000"),
    ],
)
def test_what_cannot_be_recorded_ends_in_a_sentence(data, arguments, words, tmp_path, warm):
    done = warm.run("record", *arguments, "-o", "trace.jsonl", cwd=tmp_path, data=data.encode())
    assert done.returncode == 2 and words in done.stderr.decode() and b"Traceback" not in done.stderr
    assert not (tmp_path / "trace.jsonl").exists()


def test_a_file_that_exists_is_kept(tmp_path, warm):
    (tmp_path / "trace.jsonl").write_text("mine")
    done = warm.run("record", "-", "-o", "trace.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert b"trace.jsonl exists already; give another --output, or remove it" in done.stderr
    assert (tmp_path / "trace.jsonl").read_text() == "mine"


@pytest.mark.parametrize(
    ("shell", "arguments", "words"),
    [
        (
            "mkfifo silent; exec <>silent;",
            ("-", "--wait", "0.2"),
            "no running migration was read within 0.2 s; start it, or use a larger --wait",
        ),
        ("", ("-", "<&-"), "standard input"),
    ],
)
def test_an_input_that_gives_nothing_ends_in_a_sentence(shell, arguments, words, tmp_path):
    done = record(tmp_path, shell, *arguments)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "trace.jsonl").exists()


def test_a_full_disk_ends_the_recording_in_a_sentence_and_keeps_what_there_is(tmp_path):
    (tmp_path / "answers").write_text("".join(map(as_json, [ACTIVE] * 100)))
    # bash's ulimit counts in KiB; SIGXFSZ is ignored as Python starts.
    done = record(tmp_path, "cat answers | ( ulimit -f 8;", "-", "--quiet")
    assert done.returncode == 1
    assert done.stderr == (
        "migdowntime record: trace.jsonl cannot be written any further: File too large; make room, or choose another "
        "place; what was recorded is kept\n"
    )
    trace = read(str(tmp_path / "trace.jsonl"))
    assert len(trace.samples) > 3 and "cut off" in trace.notes[0]


def test_a_disk_that_is_full_from_the_beginning_is_left_without_a_file(tmp_path):
    (tmp_path / "answers").write_text(as_json(ACTIVE))
    done = record(tmp_path, "cat answers | ( ulimit -f 0;", "-", "--quiet")
    assert done.returncode == 125 and done.stderr.count("\n") == 1
    assert "trace.jsonl cannot be written any further: File too large; make room" in done.stderr
    assert not (tmp_path / "trace.jsonl").exists()


def test_an_event_that_no_answer_follows_ends_the_recording(tmp_path, warm):
    event = json.dumps({"event": "MIGRATION", "data": {"status": "completed"}, "timestamp": {"seconds": 1}})
    data = f"{as_json(ACTIVE)}{event}\n".encode()
    done = warm.run("record", "-", "-o", "trace.jsonl", cwd=tmp_path, data=data)
    assert done.returncode == 0 and b"2 samples in trace.jsonl, the migration completed" in done.stderr


def test_quiet_says_nothing_of_a_good_recording(record_all):
    assert record_all([ACTIVE, COMPLETED], "--quiet") == (0, "", "")


def test_the_loop_of_the_documents_records(tmp_path):
    """As it stands there, with a virsh that answers and fails when the guest is gone."""
    (loop,) = re.findall(r"```\n(while virsh .*?)```", STUCK.read_text(), re.DOTALL)
    for number, answer in enumerate([ACTIVE, ACTIVE, COMPLETED]):
        (tmp_path / str(number)).write_text(as_json(answer))
    virsh = tmp_path / "virsh"
    virsh.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\n"
        "assert sys.argv[1:] == ['qemu-monitor-command', 'GUEST', '{\"execute\":\"query-migrate\"}']\n"
        "answer = min(pathlib.Path().glob('[0-9]'))\nprint(answer.read_text())\nanswer.unlink()\n"
    )
    virsh.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        loop, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANGS_S
    )
    assert done.returncode == 0 and "3 samples in recording.jsonl, the migration completed" in done.stderr
    assert read(str(tmp_path / "recording.jsonl")).downtime_limit_ms == 300
