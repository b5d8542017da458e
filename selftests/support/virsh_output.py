# SPDX-License-Identifier: GPL-2.0-or-later
"""virsh's output for a recorded migration's answers, and a recording made from such texts."""

import gzip
import json
from pathlib import Path

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.forms.reader import Reader
from avocado_migdowntime.record.new_trace import NewTrace
from avocado_migdowntime.record.piped import consume

RECORDING = Path(__file__).parents[1] / "recordings" / "ppc64-tcg-qemu-7.2.jsonl.gz"
LINES = [json.loads(line) for line in gzip.decompress(RECORDING.read_bytes()).splitlines()]
ALL_ANSWERS = [(line["t"], line["query-migrate"]) for line in LINES if "query-migrate" in line]
ANSWERS = ALL_ANSWERS[::4]
"""As somebody has them who asks every 80 ms."""
ACTIVE = next(answer for _, answer in ALL_ANSWERS if answer.get("expected-downtime", 0) > 100)
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
    """The trace of (time, text), and the recording made from it."""
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


def answer_of(text):
    """The one answer in a text of domjobinfo."""
    reader = Reader()
    (reading,) = [*reader.feed(text.encode()), *reader.end()]
    return reading.answer
