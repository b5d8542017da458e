# SPDX-License-Identifier: GPL-2.0-or-later
"""`watch -`: what comes over a pipe, in lines and once; and what cannot be watched."""

import gzip
import json
import os
import signal
import subprocess
import sys

import pytest

from ..support.documents import TOP
from ..support.made_up_monitor import MIGRATING, answering, served
from ..support.recorded import recording
from ..support.waiting import HANGS_S

CLEAN = gzip.decompress(recording("ppc64-tcg-qemu-7.2").read_bytes())
COMPLETED = gzip.decompress(recording("ppc64-tcg-qemu-7.2-busy-host-convergence").read_bytes())


@pytest.fixture
def watch(warm, tmp_path):
    def run(data, *arguments):
        done = warm.run("watch", *arguments, cwd=tmp_path, data=data)
        assert b"Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


def test_once_reads_a_pipe_to_its_end_and_has_the_status_of_advise(watch):
    status, out, said = watch(CLEAN, "-", "--once")
    assert (status, said) == (0, "") and "\nset        5552 ms downtime-limit, between " in out
    assert "\nverdict    ACCURATE: the report is " in out
    status, out, _ = watch(CLEAN, "-", "--once", "--json")
    known = json.loads(out)
    assert (status, known["source"], known["advice"]["downtime_limit_ms"]) == (0, "-", 5552)
    assert (known["status"], known["verdict"]["verdict"]) == ("active", "accurate")
    status, out, _ = watch(b"\n".join(CLEAN.splitlines()[:40]), "-", "--once")
    assert status == 125 and "\nset        not known yet\n" in out


@pytest.mark.parametrize(
    ("data", "status", "words"), [(CLEAN, 1, "; set 5552 ms"), (COMPLETED, 0, "completed; downtime ")]
)
def test_lines_end_with_what_is_known_in_the_end(watch, tmp_path, data, status, words):
    ended, out, _ = watch(data, "-", "--quiet", "--output", "trace.jsonl")
    *before, last = out.splitlines()
    assert ended == status and words in last and last not in before
    assert (tmp_path / "trace.jsonl").read_text().count("query-migrate") > 100


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-",), "'hello' matches no known text"),
        (("nowhere",), "nowhere: No such file or directory; expected the QMP socket of a running QEMU"),
        (("-", "--metrics", "0"), "0 is not a port; give one from 1 to 65535"),
        (("-", "--metrics", "no/where"), "no/where: cannot be written"),
        ((__file__,), "expected the QMP socket of a running QEMU, PATH or HOST:PORT; give a text to `analyze`, or to"),
        (("nowhere", "guest"), "nowhere is not a libvirt URI that could have a guest guest; give"),
        (("nowhere", "--downtime-limit", "1"), "--downtime-limit is for a pipe"),
    ],
)
@pytest.mark.parametrize("once", [(), ("--once",)])
def test_what_cannot_be_watched_is_one_sentence(watch, arguments, words, once):
    data = CLEAN if "no/where" in arguments else b"hello\n"
    status, _, said = watch(data, *arguments, *once)
    assert status in (1, 2) and said.count("\n") == 1 and said.startswith("migdowntime watch: ") and words in said


def test_nothing_but_queries_is_asked_of_a_qemu(watch, sockets):
    asked = []

    class Answers(dict):
        def get(self, name, otherwise=None):
            asked.append(name)
            return super().get(name, otherwise)

    with served(sockets / "qmp", lambda client: answering(client, Answers({**MIGRATING, "qmp_capabilities": {}}))):
        status, out, _ = watch(b"", str(sockets / "qmp"), "--once")
    assert status in (0, 125) and "\nQEMU says  300 ms" in out
    assert asked[0] == "qmp_capabilities" and all(name.startswith("query-") for name in asked[1:])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_was_known(tmp_path, number):
    line = [sys.executable, "-m", "avocado_migdowntime", "watch", "-"]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(line, cwd=tmp_path, env=environment, **streams) as process:
        process.stdin.write(CLEAN)
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"0.0 s active pass 1: ")
        process.send_signal(number)
        _, said = process.communicate(timeout=HANGS_S)
    assert process.returncode == 0 and b"Traceback" not in said
