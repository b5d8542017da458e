# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers as YAML, as tables and in guestperf's reports: exact figures, or a sentence about their units."""

import csv
import json
import re

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.form import Line
from avocado_migdowntime.forms.table import Table
from avocado_migdowntime.prediction.advise import advise

from ..support.documents import TOP

FORMS = TOP / "selftests" / "forms"
YAML = (FORMS / "yaml-of-a-reply-without-a-page-size.txt").read_text()
HEAD, *ROWS = (FORMS / "table-of-looks.txt").read_text().splitlines()
REPORT = json.loads((FORMS / "guestperf-report.txt").read_text())


def samples(text):
    return [*parse(text.encode()).samples]


def test_documents_of_yaml_are_a_trace():
    later = YAML.replace("60000", "61000").replace("577036288", "459536384")
    assert [one.t_s for one in samples(f"{YAML}---\n{later}")] == [60, 61]
    assert [one.t_s for one in samples(YAML + later)] == [60, 61]


@pytest.mark.parametrize("change", [
    lambda text: text.replace("ram:\n    ", "ram: {").replace("\n    ", ", ").replace("\n  setup", "}\n  setup"),
    lambda text: text.replace("577036288", "577036288  # does not fall").replace("940.0", "940.0  <- gigabit"),
    lambda text: text.replace("\n    ", "\n  return.ram.").replace("  ram:\n", "").replace("return:\n", ""),
    lambda text: re.sub(r"^ +([a-z-]+): (.*)", r"\1 = \2", text, flags=re.MULTILINE).replace("  ram:", "[ram]"),
    lambda text: "".join(f"  11:57:06 [vm1] debug > {line}\n" for line in text.splitlines()),
    lambda text: "".join(f"| {line.strip().replace(': ', ' | ')} |\n" for line in text.splitlines() if line[-1] != ":"),
    lambda text: "{|\n! field !! value\n" + "".join(
        f"|-\n| {line.strip().replace(': ', ' || ')}\n" for line in text.splitlines() if line[-1] != ":") + "|}\n",
])  # fmt: skip
def test_its_fields_may_be_written_in_other_ways(change):
    assert samples(change(YAML)) == samples(YAML)


def test_what_else_remains_is_not_the_guests_ram():
    """Since 11.1 an answer has what remains of everything, and of disks as well."""
    disk = "  disk:\n    total: 9000000000\n    remaining: 8000000000\n"
    (sample,) = samples(f"{YAML.rstrip()}\n  remaining: 577999999\n{disk}")
    assert (sample.ram.remaining_bytes, sample.disk_bytes, sample.pending_bytes) == (577036288, 8e9, 577999999)
    assert advise(parse(f"{YAML.rstrip()}\n{disk}".encode())).finding.value == "none"


@pytest.mark.parametrize("name", ["expected-downtime", "remaining", "mbps"])
def test_a_field_that_may_be_cut_off_is_not_used(name):
    lines = [line for line in YAML.splitlines() if f" {name}:" not in line]
    (shown,) = [line for line in YAML.splitlines() if f" {name}:" in line]
    cut = "\n".join([*lines, shown[:-2]])
    answer = parse(cut.encode()).readings[-1].answer
    assert name not in answer and (answer["ram"] is None or name not in answer["ram"] or name == "mbps")
    assert (
        name
        in parse("\n".join([*lines, shown, ""]).encode()).readings[-1].answer
        | parse(YAML.encode()).readings[-1].answer["ram"]
    )


@pytest.mark.parametrize("text", ["status: active\nremaining: 5\ntotal: 7\n", "total-time: 5 s\nnormal: yes\n"])
def test_fields_of_something_else_are_none(text):
    with pytest.raises(UsageError):
        parse(text.encode())


@pytest.mark.parametrize("change", [
    lambda text: text.replace(",", ";").replace("940.0", "940,0"),
    lambda text: text.replace(",", "\t"),
    lambda text: re.sub(r"(?<=[\t\n])\d{4,}(?=[\t\n])", lambda shown: f"{int(shown[0]):,}", text.replace(",", "\t")),
    lambda text: re.sub(r"(?<=[\t\n])\d{4,}(?=[\t\n])", lambda shown: f"{int(shown[0]):_}", text.replace(",", "\t"))
    .replace("_", " "),
    lambda text: "\n".join(f'"{line}"'.replace(",", '","') for line in text.splitlines()),
    lambda text: text.replace("-downtime", "_downtime").replace("total-", "total_").replace("dirty-", "dirty_"),
    lambda text: text.replace("-time", "_time_ms").replace("-downtime", "-downtime-ms")
    .replace(",total,", ",Total_bytes,"),
    lambda text: "".join(f"{json.dumps(row)}\n" for row in csv.DictReader(text.splitlines())),
    lambda text: text.replace(",remaining", ",ram.remaining").replace(",total,", ",RAM_total,"),
    lambda text: "".join(f"| {line.replace(',', ' | ')} |\n" for line in text.splitlines()),
    lambda text: "{|\n! " + text.rstrip().replace(",", " !! ", text.partition("\n")[0].count(","))
    .replace(",", " || ").replace("\n", "\n|-\n| ") + "\n|}\n",
    lambda text: text.replace("\n", "\n|---|---|\n", 1),
    lambda text: text.replace("\n", "\n# begins\n", 1),
    lambda text: "".join(f" {line.replace(',', ' | ')} \n" for line in text.splitlines()),
    lambda text: "".join(f"{'   '.join(line.split(',')[2:])}\n" for line in text.splitlines()),
])  # fmt: skip
def test_a_table_may_be_written_in_other_ways(change):
    table = "\n".join([HEAD, *ROWS, ""])
    assert samples(change(table)) == samples(table)


def test_what_a_table_has_beside_the_figures_may_have_one_name():
    table = [HEAD, *ROWS]
    assert samples("\n".join(f"{line},note,note" for line in table)) == samples("\n".join(table))


def test_a_table_without_total_times_goes_by_its_own():
    places = [number for number, name in enumerate(HEAD.split(",")) if name != "total-time"]
    lines = [",".join(line.split(",")[place] for place in places) for line in (HEAD, *ROWS)]
    assert [one.t_s for one in samples("\n".join(lines))] == [0, 10, 18]


@pytest.mark.parametrize(
    ("status", "shown_ms"), [("", None), ("active", None), ("completed", 412), ("postcopy-active", 412)]
)
def test_a_downtime_in_a_table_is_one_where_its_status_tells_of_one(status, shown_ms):
    """libvirt calls so what is expected as well."""
    text = f"status,total-time,remaining,total,mbps,downtime\n{status},60000,4096000,4312604672,940,412\n"
    (sample,) = samples(text)
    assert (sample.status, sample.downtime_ms) == (status or "active", shown_ms)


@pytest.mark.parametrize(
    "row",
    [
        '{"total-time": 1, "remaining": 4096, "total": [8192]}',
        '{"total-time": 1, "remaining": 4096}',
        '{"total-time": 1, "remaining": 4096, "total": 8192',
        '{"total-time": 1, "remaining": 4096, "ram.remaining": 4096, "total": 8192}',
    ],
)
def test_an_object_is_a_row_only_if_it_is_flat_and_has_enough_figures(row):
    assert Table().take(Line(row, row)) is None


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("b", "2 guests are migrated in this text: b is judged"),
        ("", "2 migrations are in this text: the last one is judged"),  # They may be of one guest.
    ],
)
def test_a_table_of_guests_keeps_them_apart(last, said):
    lines = [f"vm,{HEAD}", *(f"{guest},{row}" for row in ROWS for guest in ("a", last))]
    trace = parse("\n".join(lines).encode())
    assert len(trace.samples) == 3 and said in trace.notes


def test_a_table_of_libvirts_dicts_is_read_too():
    names = "time_elapsed,memory_total,memory_processed,memory_remaining,memory_bps,downtime,memory_dirty_rate"
    (sample,) = samples(f"{names}\n60000,4312604672,7065567864,577036288,117500000,14451,20000\n")
    assert (sample.t_s, sample.ram.mbps, sample.expected_downtime_ms) == (60, pytest.approx(940), 14_451)


@pytest.mark.parametrize(
    ("name", "factor", "said"),
    [
        (
            "remaining",
            1e-6,
            "a table has 1228 of RAM remaining, where bytes of whole pages were expected; take `virsh ",
        ),
        ("total-time", 1e-3, "a table has a total time of 40, where ms were expected; take `virsh "),
    ],
)
def test_a_table_in_other_units_is_refused(name, factor, said):
    place = HEAD.split(",").index(name)
    rows = [row.split(",") for row in ROWS]
    for row in rows:
        row[place] = str(int(int(row[place]) * factor))
    with pytest.raises(UsageError, match=f"^{said}"):
        parse("\n".join([HEAD, *map(",".join, rows)]).encode())


def test_a_report_of_guestperfs_has_its_bandwidth_and_no_downtime_limit():
    """Which limit it set is told in thousands of a second by some releases, and in 1024 parts by others."""
    trace = parse(json.dumps(REPORT).encode())
    assert (trace.migrate_parameters, trace.downtime_limit_ms) == ({"max-bandwidth": 125_000 << 20}, None)
    assert [one.ram.dirty_sync_count for one in trace.samples] == [1, 2, 3, 4, 5]
    assert {one.ram.page_bytes for one in trace.samples} == {4096}


def test_a_report_of_guestperfs_may_be_on_one_line_or_cut_off():
    text = (FORMS / "guestperf-report.txt").read_text()
    assert samples(json.dumps(REPORT)) == samples(json.dumps(REPORT, sort_keys=True)) == samples(text)
    cut = text[: text.index('"iterations": 4')]
    assert [one.t_s for one in samples(cut)] == [0.03, 29.761, 50.489]


def test_the_end_of_a_report_of_guestperfs_is_one():
    last = REPORT["progress_history"][-1]
    ram = {**last["ram"], "remaining_bytes": 0}
    end = {**last, "status": "completed", "duration": 80_000, "downtime": 412, "downtime_expected": 0, "ram": ram}
    trace = parse(json.dumps({**REPORT, "progress_history": [*REPORT["progress_history"], end]}).encode())
    assert (trace.samples[-1].downtime_ms, trace.samples[-1].expected_downtime_ms) == (412, None)
    assert trace.completed


ANSWER = {
    "status": "active", "total-time": 60_000, "expected-downtime": 14_451,
    "ram": {
        "total": 4312604672, "remaining": 577036288, "transferred": 7065567864, "normal": 1721191, "duplicate": 200000,
        "page-size": 4096, "mbps": 940.5, "dirty-sync-count": 3, "dirty-pages-rate": 20000,
    },
}  # fmt: skip
PRETTY = json.dumps({"return": ANSWER}, indent=2)


@pytest.mark.parametrize("text", [
    json.dumps({"ts": 1_747_044_000, "data": {"return": ANSWER}}),
    json.dumps({"ts": 1_747_044_000, "migration": ANSWER}),
    json.dumps({"host": "h", "looks": [{"at": 1, "info": ANSWER}]}, indent=2),
    PRETTY.replace("577036288,", "577036288,   // does not fall, why?"),
    PRETTY.replace("577036288,", "577036288,  # it's that much"),
    PRETTY.replace('"dirty-pages-rate": 20000', '"dirty-pages-rate": 20000,'),
    json.dumps(ANSWER | {"ram": {name: str(value) for name, value in ANSWER["ram"].items()}, "total-time": "60000"}),
])  # fmt: skip
def test_an_answer_may_be_within_what_others_write(text):
    (sample,) = samples(text)
    assert [sample] == samples(json.dumps(ANSWER))
    assert (sample.t_s, sample.ram.remaining_bytes, sample.ram.mbps) == (60, 577036288, 940.5)


def test_answers_within_what_others_write_are_of_the_guests_that_they_name():
    looks = [{"vm": name, "info": ANSWER | {"total-time": 1000 * at}} for at in (60, 61) for name in ("a", "b")]
    trace = parse("\n".join(map(json.dumps, looks)).encode())
    assert len(trace.samples) == 2 and "2 guests are migrated in this text: b is judged" in trace.notes


FLAT = {name: value for name, value in {**ANSWER, **ANSWER["ram"]}.items() if name != "ram"}


@pytest.mark.parametrize("left_out", [(), ("dirty-sync-count", "dirty-pages-rate"), ("expected-downtime", "status")])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_answer_of_which_a_filter_made_one_object_keeps_its_fields(indent, left_out):
    flat = {name: value for name, value in FLAT.items() if name not in left_out}
    (sample,) = samples(json.dumps(flat, indent=indent))
    assert (sample.t_s, sample.ram.remaining_bytes, sample.ram.mbps) == (60, 577036288, 940.5)
    assert sample.expected_downtime_ms == (None if "status" in left_out else ANSWER["expected-downtime"])


@pytest.mark.parametrize("indent", [None, 2])
def test_such_objects_are_of_the_guests_that_they_name(indent):
    looks = [{"vm": name, **FLAT, "total-time": 1000 * at} for at in (60, 61) for name in ("a", "b")]
    trace = parse("\n".join(json.dumps(look, indent=indent) for look in looks).encode())
    assert len(trace.samples) == 2 and "2 guests are migrated in this text: b is judged" in trace.notes


@pytest.mark.parametrize("indent", [None, 2])
def test_thousands_apart_in_json_are_no_figures(indent):
    with pytest.raises(UsageError):
        parse(json.dumps({"return": ANSWER}, indent=indent).replace("577036288", "577,036,288").encode())


def test_what_is_mostly_in_another_language_is_refused_though_some_lines_are_in_english():
    text = (
        "Typ zadania:       Nieograniczone\n"
        "Przetworzona pami\u0119\u0107: 6.426 GiB\nPozosta\u0142a pami\u0119\u0107:   224.113 MiB\n"
        "Memory bandwidth: 112.057 MiB/s\nPage size:        4096         bytes\nIteration:        5\n"
        "Expected downtime: 3000         ms\nSetup time:       12           ms\n"
    )
    with pytest.raises(UsageError, match="^is the output of `virsh domjobinfo` in another language than English; run "):
        parse(text.encode())
