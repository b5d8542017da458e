# SPDX-License-Identifier: GPL-2.0-or-later
"""`record -`: what virsh prints again and again becomes a trace that is judged as QEMU's own answers are."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse, read
from avocado_migdowntime.forms.reader import Reader
from avocado_migdowntime.record.new_trace import NewTrace
from avocado_migdowntime.record.piped import consume
from avocado_migdowntime.record.piped import record as record_pipe
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.waiting import HANGS_S

RECORDING = Path(__file__).parents[1] / "recordings" / "ppc64-tcg-qemu-7.2.jsonl.gz"
STUCK = Path(__file__).parents[2] / "docs/stuck.md"
LINES = [json.loads(line) for line in gzip.decompress(RECORDING.read_bytes()).splitlines()]
ANSWERS = [(line["t"], line["query-migrate"]) for line in LINES if "query-migrate" in line]
ACTIVE = next(answer for _, answer in ANSWERS if answer.get("expected-downtime", 0) > 100)
COMPLETED = {**ACTIVE, "status": "completed", "downtime": 30, "total-time": 99_000}

NO_FIGURES = "this is a text with QMP replies without figures of a migration"


def as_json(answer):
    return json.dumps({"return": answer, "id": "libvirt-7"}, indent=2) + "\n\n"


def pretty(size):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.3f} {unit}"
        size /= 1024
    raise AssertionError


def figures(answer):
    ram = answer["ram"]
    return {
        "memory_remaining": ram["remaining"],
        "memory_total": ram["total"],
        "memory_bps": int(ram["mbps"] * 125000),
        "memory_dirty_rate": ram["dirty-pages-rate"],
        "memory_page_size": ram["page-size"],
        "memory_iteration": ram["dirty-sync-count"],
        "memory_constant": ram["duplicate"],
        "memory_normal": ram["normal"],
        "downtime": answer.get("downtime", answer.get("expected-downtime", 0)),
    }


def as_job(answer):
    if answer["status"] != "active":
        return "Job type:         None        \n\n"
    told = figures(answer)
    rows = [
        ("Job type:", "Unbounded   "),
        ("Operation:", "Outgoing migration"),
        ("Memory remaining:", pretty(told["memory_remaining"])),
        ("Memory total:", pretty(told["memory_total"])),
        ("Memory bandwidth:", f"{pretty(told['memory_bps'])}/s"),
        ("Dirty rate:", f"{told['memory_dirty_rate']:<12} pages/s"),
        ("Page size:", f"{told['memory_page_size']:<12} bytes"),
        ("Iteration:", f"{told['memory_iteration']:<12}"),
        ("Constant pages:", f"{told['memory_constant']:<12}"),
        ("Normal pages:", f"{told['memory_normal']:<12}"),
        ("Expected downtime:", f"{told['downtime']:<12} ms"),
    ]
    return "".join(f"{name:<17} {value}\n" for name, value in rows) + "\n"


def as_raw(answer):
    if answer["status"] != "active":
        return "Job type: 0\n\n"
    return (
        "Job type: 2\n\noperation: 5\n"
        + "".join(f"{name}: {value}\n" for name, value in figures(answer).items())
        + "\n"
    )


def recorded(tmp_path, texts, limit_ms=None):
    """The trace of (time, text), and the recording that it came by."""
    reader, recording = Reader(), NewTrace(str(tmp_path / "trace.jsonl"))

    def items():
        for t_s, text in texts:
            yield from reader.feed(text.encode(), t_s)
        yield from reader.end(t_s)

    try:
        consume(items(), recording, limit_ms, lambda sample: None)
    finally:
        recording.close()
    return read(recording.file), recording


@pytest.mark.parametrize("form", [as_json, as_job, as_raw])
def test_each_form_is_judged_as_the_answers_that_it_was_made_from(form, tmp_path):
    own = judge(parse(RECORDING.read_bytes()))
    trace, _ = recorded(tmp_path, [(t_s, form(answer)) for t_s, answer in ANSWERS], limit_ms=1)
    times_s = [answer["total-time"] / 1000 if form is as_json else t_s for t_s, answer in ANSWERS]
    assert trace.samples.t_s.tolist() == pytest.approx(times_s, abs=1e-6)
    verdict = judge(trace)
    assert (verdict.verdict, verdict.formula, verdict.passes) == (Judgement.ACCURATE, "last-sync", own.passes)
    assert verdict.expected_ms == pytest.approx(own.expected_ms, rel=0.001)
    assert (verdict.downtime_limit_ms, verdict.limit_verdict) == (1, own.limit_verdict)


def test_the_rounded_sizes_of_a_large_guest_are_judged_alike(tmp_path):
    """In the first pass 64 GiB more, told to a MiB; what is left of it at its end is told more finely."""
    first = [answer["ram"]["remaining"] for _, answer in ANSWERS if answer["ram"]["dirty-sync-count"] == 1]
    more_pages = (64 << 30) // 4096

    def enlarged(answer):
        ram = answer["ram"]
        left = int(more_pages * max(0, ram["remaining"] - first[-1]) / (first[0] - first[-1]))
        left *= ram["dirty-sync-count"] == 1
        changed = {"remaining": ram["remaining"] + 4096 * left, "normal": ram["normal"] + more_pages - left}
        return {**answer, "ram": {**ram, **changed}}

    trace, _ = recorded(tmp_path, [(t_s, as_job(enlarged(answer))) for t_s, answer in ANSWERS], limit_ms=1)
    assert "64.250 GiB" in as_job(enlarged(ANSWERS[0][1]))
    verdict = judge(trace)
    assert (verdict.verdict, verdict.passes) == (Judgement.ACCURATE, judge(parse(RECORDING.read_bytes())).passes)


def test_without_a_limit_less_is_judged_and_that_is_said(tmp_path):
    verdict = judge(recorded(tmp_path, [(t_s, as_json(answer)) for t_s, answer in ANSWERS])[0])
    assert (verdict.verdict, verdict.downtime_limit_ms, verdict.limit_verdict) == ("accurate", None, "inconclusive")


def test_json_is_recorded_to_its_end_and_with_what_was_asked_before(tmp_path):
    header = LINES[0]
    before = [(0, as_json(header["qemu"])), (0, as_json(header["migrate-parameters"])), (0, as_json({}))]
    after = [(99, as_json(COMPLETED)), (100, as_json(ACTIVE))]
    trace, recording = recorded(tmp_path, [*before, *((t_s, as_json(answer)) for t_s, answer in ANSWERS), *after])
    assert (recording.status, recording.samples) == ("completed", len(trace.samples))
    assert trace.samples[-1].t_s == 99 and trace.downtime_limit_ms == header["migrate-parameters"]["downtime-limit"]
    assert trace.subject == "QEMU 7.2.22"


def test_text_may_come_in_any_pieces(tmp_path):
    whole = "".join(form(ACTIVE) for form in (as_json, as_json)) + as_json(COMPLETED)
    trace, _ = recorded(tmp_path, [(i, letter) for i, letter in enumerate(whole)])
    assert [sample.status for sample in trace.samples] == ["active", "active", "completed"]
    assert trace.samples.t_s.tolist() == [ACTIVE["total-time"] / 1000] * 2 + [99]
    jobs = "".join([as_job(ACTIVE)] * 2)
    (tmp_path / "trace.jsonl").unlink()
    trace, _ = recorded(tmp_path, [(i, letter) for i, letter in enumerate(jobs)])
    first_line = jobs.index("\n")
    assert [sample.t_s for sample in trace.samples] == [first_line, len(as_job(ACTIVE)) + first_line]


def answer_of(text):
    """The one answer that a text of domjobinfo makes."""
    reader = Reader()
    (reading,) = [*reader.feed(text.encode()), *reader.end()]
    return reading.answer


def test_units_are_those_of_libvirt():
    answer = answer_of(as_job(ACTIVE).replace("MiB/s", "GiB/s"))
    assert answer["ram"]["mbps"] == pytest.approx(ACTIVE["ram"]["mbps"] * 1024, rel=1e-4)
    assert answer["ram"]["remaining"] == pytest.approx(ACTIVE["ram"]["remaining"], abs=525)
    raw = answer_of(as_raw(ACTIVE))
    assert raw["ram"] == {**raw["ram"], "remaining": ACTIVE["ram"]["remaining"], "normal": ACTIVE["ram"]["normal"]}
    assert raw["expected-downtime"] == ACTIVE["expected-downtime"]
    assert answer_of("Job type: Unbounded\nTime elapsed: 3 ms\n") == {"status": "active", "total-time": 3}
    assert answer_of("Job type: Completed\nTotal downtime: 42 ms\n") == {"status": "completed", "downtime": 42}


WRONG = [
    ("error: Domain not found\n", "is an error of virsh or kubectl: 'error: Domain not found'"),
    ("{'status': 1}\n{\n", "matches no known text"),
    ("", "standard input is empty; pipe the output of "),
    (" \n\n", "standard input is empty; pipe the output of "),
    (
        '{"return": {"status": "running", "running": true}}\n',
        NO_FIGURES,
    ),
    ('{"return": []}\n', NO_FIGURES),
    ('{"return": {"status": ["active"]}}\n', NO_FIGURES),
    ('{"downtime-limit": "300"}\n' + as_json(ACTIVE), "'downtime-limit' is '300'"),
    ('{"error": {"class": "GenericError", "desc": "no"}}\n', "QEMU answered with the error no; take `virsh"),
    (as_json({**ACTIVE, "ram": {"remaining": "x", "mbps": 7}}), "'remaining' is 'x' where a number"),
    (as_job(ACTIVE).replace("Outgoing", "Incoming"), "the job is 'Incoming migration'"),
    (as_job(ACTIVE).replace("Unbounded", "Unbegrenzt"), "run virsh with LC_ALL=C"),
    (as_job(ACTIVE).replace("pages/s", "Seiten/s"), "Dirty rate is"),
    ("{" * (1 << 20) + "{", "matches no known text"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_anything_else_is_refused_in_a_sentence_and_leaves_no_file(text, words, tmp_path):
    pipe, other_end = os.pipe()
    with pytest.raises(UsageError) as caught, os.fdopen(pipe, "rb"), os.fdopen(other_end, "wb") as file:
        Thread(target=lambda: (file.write(text.encode()), file.close())).start()
        record_pipe(pipe, NewTrace(str(tmp_path / "trace.jsonl")), 10, None, lambda sample: None)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_comes_between_is_passed_over(tmp_path):
    between = "error: Timed out during operation: cannot acquire state change lock\n\n$ virsh domjobinfo GUEST\n"
    later = {**ACTIVE, "total-time": ACTIVE["total-time"] + 20}
    trace, _ = recorded(tmp_path, [(1, as_json(ACTIVE)), (2, between), (3, as_json(later))])
    assert len(trace.samples) == 2


def test_what_was_recorded_before_something_wrong_came_is_kept(tmp_path):
    wrong = as_job(ACTIVE).replace("pages/s", "Seiten/s")
    with pytest.raises(UsageError, match="Dirty rate is"):
        recorded(tmp_path, [(1, as_job(ACTIVE)), (2, as_job(ACTIVE)), (3, wrong), (4, as_job(ACTIVE))])
    assert [sample.t_s for sample in read(str(tmp_path / "trace.jsonl")).samples] == [1, 2]


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
    ("shell", "arguments", "words"),
    [
        (
            "mkfifo silent; exec <>silent;",
            ("-", "--wait", "0.2"),
            "no running migration was read within 0.2 s; start it, or use a larger --wait",
        ),
        ("", ("-", "<&-"), "standard input"),
        ("echo hello |", ("-",), "'hello' matches no known text"),
        ("touch trace.jsonl;", ("-",), "trace.jsonl exists already; give another --output, or remove it"),
        ("", ("qmp.sock", "--downtime-limit", "1"), "--downtime-limit is for a pipe only; QMP and libvirt show"),
        ("", ("-", "--wait", "nonsense"), "'nonsense' is not a number from 0 to 86400"),
        ("", ("-", "--downtime-limit", "2000001"), "'2000001' is not a number from 0 to 2000000"),
    ],
)
def test_what_cannot_be_recorded_ends_in_a_sentence(shell, arguments, words, tmp_path):
    done = record(tmp_path, shell, *arguments)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "trace.jsonl").exists() or shell.startswith("touch")


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


def test_what_a_libvirt_printed_of_a_real_migration_is_what_its_qemu_answered():
    printed = (RECORDING.parent / "domjobinfo-9.0.txt").read_text()
    ram = {
        "total": pytest.approx(256.375 * (1 << 20)), "remaining": pytest.approx(36.965 * (1 << 20), rel=1e-5),
        "page-size": 4096, "normal": 11142, "duplicate": 55273, "dirty-sync-count": 2, "dirty-pages-rate": 5000,
        "mbps": pytest.approx(167.881, rel=1e-4), "transferred": pytest.approx(44.083 * (1 << 20), rel=1e-5),
        "normal-bytes": pytest.approx(43.523 * (1 << 20), rel=1e-5), "postcopy-requests": 0,
    }  # fmt: skip
    times = {"total-time": 2540, "setup-time": 1, "expected-downtime": 1999}
    assert answer_of(printed) == {"status": "active", **times, "ram": ram}


def test_a_disk_that_is_full_from_the_beginning_is_left_without_a_file(tmp_path):
    (tmp_path / "answers").write_text(as_json(ACTIVE))
    done = record(tmp_path, "cat answers | ( ulimit -f 0;", "-", "--quiet")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
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


@pytest.mark.parametrize("text", sorted((RECORDING.parents[1] / "forms").glob("*.txt")), ids=lambda path: path.stem)
def test_what_is_known_of_a_text_stays_known_when_it_was_recorded(text, tmp_path):
    own = parse(text.read_bytes())
    running = [sample for sample in own.samples if sample.status != "completed"]
    trace, _ = recorded(tmp_path, [(1, text.read_text())])
    assert list(trace.samples) == list(own.samples) and running
    assert (trace.lacks, trace.notes, trace.downtime_limit_ms) == (own.lacks, own.notes, own.downtime_limit_ms)
    known, kept = ([(one.rounding, one.derived, one.estimated) for one in whole.readings] for whole in (own, trace))
    assert kept == known or (not kept and not any(map(any, known)))


GARBLED = [5, [], {"rounding": 5}, {"rounding": {"ram.mbps": [2, 1]}}, {"lacks": 7}, {"derived": 1}]


@pytest.mark.parametrize("known", GARBLED)
def test_what_is_known_of_a_text_is_refused_where_it_is_garbled(known):
    header = {"qemu": {}, "migrate-parameters": {}, "read": True}
    sample = {"t": 1, "latency_ms": 1, "query-migrate": {**ACTIVE, "as-read": known}}
    with pytest.raises(UsageError, match="'as-read' is .*, expected what `record` writes there; record it again"):
        parse("\n".join(map(json.dumps, (header, sample))).encode())
