# SPDX-License-Identifier: GPL-2.0-or-later
"""`record` through libvirt, of migrations between two real libvirtd."""

import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress

import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.documents import TOP
from ..support.libvirtds import GUEST, LIBVIRTD, Libvirtds
from ..support.ordinary_user import ROOT
from ..support.waiting import HANGS_S, until

pytest.importorskip("libvirt", reason="libvirt's Python binding is not installed, which `make check` does")

pytestmark = [
    pytest.mark.skipif(not ROOT, reason="only root can have libvirtd in namespaces of their own"),
    pytest.mark.skipif(LIBVIRTD is None, reason="there is no libvirtd, which `make check` installs"),
    pytest.mark.usefixtures("nothing_left"),
]


@pytest.fixture
def libvirt(sockets):
    with ExitStack() as stack:
        made = Libvirtds(sockets)
        stack.callback(made.end)
        yield made


@pytest.fixture
def command(tmp_path):
    """Starts a sub-command in a process whose output can be read; ended with the test."""
    with ExitStack() as stack:

        def start(*words):
            line = [sys.executable, "-m", "avocado_migdowntime", *words]
            environment = {**os.environ, "PYTHONPATH": str(TOP)}
            streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            process = stack.enter_context(subprocess.Popen(line, cwd=tmp_path, env=environment, **streams))
            stack.callback(process.kill)
            return process

        yield start


def ended(process):
    """Its exit status, and what it said."""
    said = process.communicate(timeout=HANGS_S)[0]
    assert "Traceback" not in said, said
    return process.returncode, said


def samples(path):
    return path.read_text().count("query-migrate") if path.exists() else 0


def passes(path):
    return len(set(re.findall(r'"dirty-sync-count": (\d+)', path.read_text()))) if path.exists() else 0


@pytest.mark.alone
def test_a_migration_is_recorded_through_the_monitor_and_by_job_statistics(libvirt, command, tmp_path):
    libvirt.start("region=15M rate=3000 flush=yes")
    migration = libvirt.migrate(10, 1)
    exact = command("record", libvirt.uri(), GUEST, "-o", "exact.jsonl")
    rounded = command("record", libvirt.uri(socket="libvirt-sock-ro"), GUEST, "-o", "rounded.jsonl")
    watching = command("watch", libvirt.uri(), GUEST)
    until(lambda: passes(tmp_path / "exact.jsonl") == 5)
    libvirt.virsh("migrate-setmaxdowntime", GUEST, "20000")
    for process, words in (
        (exact, "libvirt notes that as a taint of the guest"),
        (rounded, "because QEMU's monitor is not allowed"),
    ):
        status, said = ended(process)
        assert status == 0 and words in said and "the migration completed" in said
    status, shown = ended(watching)
    told = r"QEMU says \d+ ms; expected \d+.*; limit 1 ms probably never ends it; set \d+ ms"
    assert status == 0 and re.search(told, shown), shown
    assert re.search(r"completed; downtime \d+ ms according to QEMU, under a downtime-limit of 20000 ms\n$", shown)
    assert migration.wait(HANGS_S) == 0 and "running" in libvirt.virsh("list", side="destination")
    traces = [read(str(tmp_path / name)) for name in ("exact.jsonl", "rounded.jsonl")]
    verdicts = [judge(trace) for trace in traces]
    for trace, verdict in zip(traces, verdicts, strict=True):
        assert (verdict.verdict, verdict.formula) == (Judgement.ACCURATE, "last-sync") and verdict.passes >= 2
        assert (verdict.downtime_limit_ms, verdict.limit_verdict) == (1, "respected")
        assert verdict.downtime.qemu_ms > 0
        assert "x86_64 pc-i440fx-" in verdict.subject
        assert any(sample.on == "MIGRATION_PASS" for sample in trace.samples)
        told = {(event.side, event.name) for event in trace.events}
        assert told >= {("source", "STOP"), ("source", "MIGRATION_PASS"), ("harness", "LIMIT_CHANGED")}
        assert told >= {("libvirt", "LIFECYCLE"), ("libvirt", "MIGRATION_ITERATION")}
    assert verdicts[0].subject.startswith("QEMU ") and traces[0].capabilities
    assert ("source", "MIGRATION") in {(event.side, event.name) for event in traces[0].events}
    assert verdicts[1].expected_ms == pytest.approx(verdicts[0].expected_ms, rel=0.01)


SOCKETS = ("libvirt-sock", "libvirt-sock-ro")
LOST = "the connection to libvirt at .* was lost"


def destroy(libvirt):
    with suppress(subprocess.CalledProcessError):  # libvirtd may crash at that.
        libvirt.virsh("destroy", GUEST)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (
            lambda libvirt: libvirt.virsh("domjobabort", GUEST),
            ("", ".* failed or was cancelled: libvirt's job is over.*"),
        ),
        (destroy, (r".* no longer runs there( \(destroyed\))?",) * 2),
        (lambda libvirt: libvirt.kill("source"), (LOST,) * 2),
    ],
    ids=["cancelled", "gone", "lost"],
)
def test_each_end_of_a_job_is_one_sentence_and_the_trace_is_kept(libvirt, command, tmp_path, end, words):
    libvirt.start()
    libvirt.migrate(2, 1)
    traces = [tmp_path / f"{socket}.jsonl" for socket in SOCKETS]
    recordings = [
        command("record", libvirt.uri(socket=socket), GUEST, "-o", str(path), "--quiet")
        for socket, path in zip(SOCKETS, traces, strict=True)
    ]
    until(lambda: all(samples(path) > 20 for path in traces))
    end(libvirt)
    for recording, path, told in zip(recordings, traces, words, strict=True):
        status, said = ended(recording)
        assert status == 1
        last = read(str(path)).samples[-1].status
        if "cancelled" in told and last == "cancelled":
            told = ""  # libvirt's statistics say so for a moment, before they say nothing.
        if told and not libvirt.runs("source"):
            told = f"({told}|{LOST})"
        assert re.fullmatch(f"migdowntime record: {told}; what was recorded is kept\n" if told else "", said), said
        assert last == ("active" if told else "cancelled")


def test_what_there_is_none_of_is_told_with_what_there_is(libvirt, command):
    libvirt.start()
    status, said = ended(command("watch", libvirt.uri(), GUEST, "--once", "--quiet"))
    assert status == 2 and "no migration is running on dirtier at " in said
    libvirt.start("region=16M", name="another\u202e")
    for guest in (GUEST, "another\u202e"):
        libvirt.virsh("suspend", guest)
    for words, told in (
        ((libvirt.uri(), "nobody"), r"no guest is running as nobody at .*; running there: another\\u202e, dirtier\n"),
        ((libvirt.uri(),), r"name a guest of .*; running there: another\\u202e, dirtier\n"),
        ((libvirt.uri("destination"), GUEST), "none is running there: give the URI of the migration's source host\n"),
        ((libvirt.uri(), GUEST, "--wait", "0.2"), r"no migration was running on dirtier at .* within 0.2 s; start one"),
        (
            (libvirt.uri(socket="none"), GUEST),
            "No such file or directory; check that libvirt runs on the migration's source host",
        ),
        (("test:///default", GUEST), "test:///default is libvirt's driver TEST; expected QEMU's, such as qemu:///sys"),
        (
            ("qmp.sock", GUEST),
            "qmp.sock is not a libvirt URI that could have a guest dirtier; give one such as qemu://",
        ),
    ):
        status, said = ended(command("record", *words, "-o", "trace.jsonl", "--quiet"))
        assert status == 2 and said.count("\n") == 1 and re.search(told, said), said


@pytest.mark.parametrize("socket", SOCKETS)
def test_a_guest_that_is_arriving_is_refused_at_once(libvirt, command, socket):
    libvirt.start()
    libvirt.migrate(2, 1)
    until(lambda: GUEST in libvirt.virsh("list", side="destination"))
    status, said = ended(command("record", libvirt.uri("destination", socket), GUEST, "-o", "trace.jsonl"))
    # QEMU's monitor would be waited for in vain.
    assert status == 2 and "is still arriving from another host" in said and "imed out" not in said, said


def test_ctrl_c_ends_it_also_while_libvirt_answers_nothing(libvirt, command, tmp_path):
    libvirt.start()
    libvirt.migrate(2, 1)
    recording = command("record", libvirt.uri(), GUEST, "-o", "trace.jsonl")
    until(lambda: samples(tmp_path / "trace.jsonl") > 20)
    with libvirt.stopped("source"):
        # Whichever of the two was asked last.
        unanswered = re.compile(r"has not answered query-migrate(-parameters)? for 2 s; waiting")
        assert any(map(unanswered.search, recording.stdout))
        recording.send_signal(signal.SIGINT)
        status, said = ended(recording)
    assert status == 0 and "interrupted" in said
