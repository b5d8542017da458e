# SPDX-License-Identifier: GPL-2.0-or-later
"""`record -`: what virsh prints again and again becomes a trace that is judged as QEMU's own answers are."""

import os
from contextlib import closing
from threading import Thread

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms import qmp
from avocado_migdowntime.forms.file import parse, read
from avocado_migdowntime.forms.reader import Reader
from avocado_migdowntime.record.new_trace import NewTrace
from avocado_migdowntime.record.piped import consume, whole
from avocado_migdowntime.record.piped import record as record_pipe
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.virsh_output import (
    ACTIVE,
    ALL_ANSWERS,
    ANSWERS,
    COMPLETED,
    LINES,
    NO_FIGURES,
    RECORDING,
    answer_of,
    as_job,
    as_json,
    as_raw,
    recorded,
)


@pytest.mark.long
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


@pytest.mark.long
def test_the_rounded_sizes_of_a_large_guest_are_judged_alike(tmp_path):
    """In the first pass 64 GiB more, told to a MiB; what is left of it at its end is told more finely."""
    first = [answer["ram"]["remaining"] for _, answer in ALL_ANSWERS if answer["ram"]["dirty-sync-count"] == 1]
    more_pages = (64 << 30) // 4096

    def enlarged(answer):
        ram = answer["ram"]
        left = int(more_pages * max(0, ram["remaining"] - first[-1]) / (first[0] - first[-1]))
        left *= ram["dirty-sync-count"] == 1
        changed = {"remaining": ram["remaining"] + 4096 * left, "normal": ram["normal"] + more_pages - left}
        return {**answer, "ram": {**ram, **changed}}

    trace, _ = recorded(tmp_path, [(t_s, as_job(enlarged(answer))) for t_s, answer in ALL_ANSWERS], limit_ms=1)
    assert "64.250 GiB" in as_job(enlarged(ALL_ANSWERS[0][1]))
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


def test_units_are_those_of_libvirt():
    answer = answer_of(as_job(ACTIVE).replace("MiB/s", "GiB/s"))
    assert answer["ram"]["mbps"] == pytest.approx(ACTIVE["ram"]["mbps"] * 1024, rel=1e-4)
    assert answer["ram"]["remaining"] == pytest.approx(ACTIVE["ram"]["remaining"], abs=525)
    raw = answer_of(as_raw(ACTIVE))
    assert raw["ram"] == {**raw["ram"], "remaining": ACTIVE["ram"]["remaining"], "normal": ACTIVE["ram"]["normal"]}
    assert raw["expected-downtime"] == ACTIVE["expected-downtime"]
    assert answer_of("Job type: Unbounded\nTime elapsed: 3 ms\n") == {"status": "active", "total-time": 3}
    assert answer_of("Job type: Completed\nTotal downtime: 42 ms\n") == {"status": "completed", "downtime": 42}


LONGEST = 1 << 14
"""No message is taken to have more characters in these tests; a mebibyte takes long to look through."""
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
    ("{" * (LONGEST + 1), "matches no known text"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_anything_else_is_refused_in_a_sentence_and_leaves_no_file(text, words, tmp_path, monkeypatch):
    monkeypatch.setattr(qmp, "_GREATEST_CHARACTERS", LONGEST)
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


def recorded_whole(tmp_path, text):
    recording = NewTrace(str(tmp_path / "trace.jsonl"))
    with closing(recording):
        consume(whole(Reader(), text), recording, None, lambda sample: None)
    return read(recording.file)
