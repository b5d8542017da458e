# SPDX-License-Identifier: GPL-2.0-or-later
"""`watch` on the QMP socket of a real QEMU that somebody else has started."""

import re
import signal
import subprocess
from contextlib import ExitStack

import pytest

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.avocado_command import command
from ..support.documents import TOP
from ..support.lone_qemu import Qemu
from ..support.pseudo_terminal import OnTerminal
from ..support.waiting import HANGS_S, until

IMAGE = TOP / "images/x86_64/dirtier.elf"


@pytest.fixture
def source(sockets):
    """A QEMU whose guest dirties 18 MiB again and again, and whose migration goes into nothing."""
    with ExitStack() as stack:
        made = Qemu(sockets, "-kernel", str(IMAGE), "-append", "region=18M rate=4000 flush=yes")
        stack.callback(made.close)
        made.run_guest()
        yield made


def migrate(source):
    source.execute("migrate-set-parameters", **{"max-bandwidth": 12_000_000, "downtime-limit": 1})
    source.execute("migrate", uri="exec:cat >/dev/null")


def pass_of(source):
    return source.execute("query-migrate").get("ram", {}).get("dirty-sync-count", 0)


@pytest.mark.alone
@pytest.mark.usefixtures("nothing_left")
def test_a_migration_is_told_in_lines_as_metrics_and_kept(tmp_path, source):
    line, environment = command(tmp_path, "migdowntime", "watch", str(source.socket))
    line += ["--metrics", "m.prom", "--output", "trace.jsonl"]
    process = subprocess.Popen(
        line, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert "waiting for a migration to begin" in process.stderr.readline()
    migrate(source)
    until(lambda: pass_of(source) >= 5)
    metrics = (tmp_path / "m.prom").read_text()
    source.execute("migrate-set-parameters", **{"downtime-limit": 10_000})
    out, said = process.communicate(timeout=HANGS_S)
    assert process.returncode == 0 and "Traceback" not in said
    *under_way, last = out.splitlines()
    for words in (r"QEMU says \d+ ms; expected \d+", "limit 1 ms probably never ends it", r"set \d+ ms"):
        assert any(re.search(words, shown) for shown in under_way), out
    assert re.search(r"completed; downtime \d+ ms according to QEMU, under a downtime-limit of 10000 ms", last)
    least = re.search(r"^migdowntime_least_limit_seconds\{.*\} (\S+)$", metrics, re.MULTILINE)
    assert float(least[1]) == pytest.approx((18 << 20) / 12e6, rel=0.2) and metrics.endswith("# EOF\n")
    trace = read(str(tmp_path / "trace.jsonl"))
    assert judge(trace).verdict is Judgement.ACCURATE and trace.header["machine"].startswith("pc-i440fx-")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_terminal_is_used_in_any_size_and_given_back(tmp_path, source, number):
    line, environment = command(tmp_path, "migdowntime", "watch", str(source.socket))
    for name in ("COLUMNS", "LINES"):  # They would stand for the terminal's size.
        environment.pop(name, None)
    terminal = OnTerminal(line, 80, 24, cwd=tmp_path, env={**environment, "TERM": "xterm-256color"})
    until(lambda: "waiting for a migration to begin" in terminal.shown)
    source.migrate_slowly()
    until(lambda: "bandwidth" in terminal.shown)
    terminal.resize(40, 10)
    before = len(terminal.shown)
    until(lambda: terminal.shown.count("\x1b[H", before) >= 2)
    terminal.process.send_signal(number)
    status, restored, after = terminal.end()
    assert (status, restored) == (0, True) and "Traceback" not in terminal.shown
    shown, _, last = terminal.shown[before:].rpartition("\x1b[?1049l")
    frame = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.rpartition("\x1b[H")[2])
    assert max(map(len, frame.splitlines())) <= 40
    assert "active, pass" in last and "\x1b[?25h" in terminal.shown
    assert source.execute("query-migrate")["status"] == "active"
    assert len(max(after.replace("\r", "").splitlines(), key=len)) <= 40


def test_once_looks_once(tmp_path, source):
    def look(*more):
        line, environment = command(tmp_path, "migdowntime", "watch", str(source.socket), "--once", *more)
        return subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANGS_S)

    before = look()
    assert before.returncode == 2 and f"no migration is running on {source.socket}; start it, or watch" in before.stderr
    migrate(source)
    until(lambda: pass_of(source) >= 1)
    earliest, first, latest = pass_of(source), look("--metrics", "m.prom"), pass_of(source)
    shown = re.match(r"status     active, pass (\d+), 0\.0 s\n", first.stdout)
    assert first.returncode in (0, 125) and shown and earliest <= int(shown[1]) <= latest, first.stdout
    assert "migdowntime_remaining_bytes" in (tmp_path / "m.prom").read_text()
