# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of a log that stand in the wrong place, as threads and collectors of logs leave them: no other migration."""

import gzip
import json

import pytest

from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.trace.model import SEVERAL
from avocado_migdowntime.verdict.judge import judge

from ..support.recorded import recording
from ..support.virsh_output import recorded

ALL = [json.loads(line) for line in gzip.decompress(recording("ppc64-tcg-qemu-7.2").read_bytes()).splitlines()]
LINES = [line for line in ALL if line.get("query-migrate", {}).get("ram")]


def logged(at_s, answer):
    clock = f"10:{int(at_s) // 60:02}:{at_s % 60:06.3f}"
    reply = json.dumps({"return": answer})
    return f"2024-05-01 {clock}+0000: 134386: info : qemuMonitorJSONIOProcessLine:240 : x reply={reply}\n"


LOG = [logged(line["t"], line["query-migrate"]) for line in LINES]


def with_swaps(lines, period=40, apart=2):
    swapped = [*lines]
    for number in range(0, len(lines) - apart, period):
        swapped[number], swapped[number + apart] = swapped[number + apart], swapped[number]
    return swapped


@pytest.mark.long
def test_a_line_that_comes_late_begins_no_other_migration(tmp_path):
    whole, swapped = (parse("".join(lines).encode()) for lines in (LOG, with_swaps(LOG)))
    assert SEVERAL not in swapped.notes
    assert (judge(swapped).verdict, judge(swapped).passes) == (judge(whole).verdict, judge(whole).passes)
    times_s = swapped.samples.t_s
    assert set(times_s) < set(whole.samples.t_s) and len(times_s) > 0.9 * len(whole.samples)
    piped, _ = recorded(tmp_path, [(0, "".join(with_swaps(LOG)))])
    assert piped.samples.t_s.tolist() == times_s.tolist()


def test_a_migration_that_ended_has_no_figures_that_come_late():
    ended = {"status": "completed", "total-time": 60_000, "downtime": 40, "ram": LINES[-1]["query-migrate"]["ram"]}
    last_s = LINES[-1]["t"] + (60_000 - LINES[-1]["query-migrate"]["total-time"]) / 1000
    trace = parse("".join([*LOG[:-1], logged(last_s, ended), LOG[-1]]).encode())
    assert trace.completed and SEVERAL not in trace.notes


@pytest.mark.long
def test_figures_of_another_migration_are_not_late():
    again = {**LINES[-1]["query-migrate"], "total-time": 900}
    for after_s in (30, 0.5, -0.5):
        assert SEVERAL in parse("".join([*LOG, logged(LINES[-1]["t"] + after_s, again)]).encode()).notes


@pytest.mark.long
@pytest.mark.parametrize("period", [0, 40, 12])
def test_a_log_with_its_newest_line_first_may_have_some_in_the_wrong_place(period):
    whole = parse("".join(LOG).encode())
    backwards = LOG[::-1]
    trace = parse("".join(with_swaps(backwards, period, 1) if period else backwards).encode())
    assert SEVERAL not in trace.notes and judge(trace).verdict == judge(whole).verdict
    assert trace.samples.t_s[-1] == whole.samples.t_s[-1]


def at_hour(hour, lines):
    return [line.replace(" 10:", f" {hour}:", 1) for line in lines]


FILLER = [
    f"2024-05-01 {{}}:{number:02}:00.000+0000: 9: debug : virThreadJobSet:94 : {'x' * 40_000}\n" for number in range(30)
]


@pytest.mark.long
@pytest.mark.parametrize("end", [LOG[:], LOG[:400]])
def test_the_older_of_two_rotated_files_may_come_last(end):
    """As `cat libvirtd.log*` prints them: too long to be sorted, and each with a migration of the same guest."""
    command = '{"execute":"migrate-set-parameters","arguments":{"downtime-limit":700}}'
    set_limit = f"2024-05-01 08:00:00.000+0000: 9: info : x msg={command}\n"
    newer = [*at_hour(12, LOG), *(line.format(13) for line in FILLER)]
    older = [set_limit, *(line.format("08") for line in FILLER), *at_hour("09", end)]
    in_order, reversed_ = (parse("".join(lines).encode()) for lines in ([*older[1:], *newer], [*newer, *older]))
    assert SEVERAL in in_order.notes and SEVERAL in reversed_.notes
    assert reversed_.samples.t_s.tolist() == in_order.samples.t_s.tolist() and not reversed_.events
    assert judge(reversed_).verdict == judge(in_order).verdict


@pytest.mark.long
def test_a_migration_in_both_of_two_rotated_files_is_judged_by_its_end():
    first, later = LOG[:300], LOG[300:]
    trace = parse(
        "".join(
            [*later, *(line.format(13) for line in FILLER), *(line.format("08") for line in FILLER), *first]
        ).encode()
    )
    assert SEVERAL not in trace.notes and len(trace.samples) == len(later)


@pytest.mark.long
def test_a_clock_that_is_set_back_makes_no_line_older():
    changed = [*LOG[:300], *at_hour("09", LOG[300:])]
    times_s = [parse("".join(lines).encode()).samples.t_s.tolist() for lines in (LOG, changed)]
    assert times_s[0] == times_s[1]


@pytest.mark.long
def test_the_guest_of_the_newer_file_is_judged():
    newer = [line.replace(": x reply", ": mon=0xbbb reply") for line in at_hour(12, LOG)]
    older = [line.replace(": x reply", ": mon=0xaaa reply") for line in at_hour("09", LOG[:400])]
    fillers = [[line.format(hour) for line in FILLER] for hour in (13, "08")]
    for lines in ([*fillers[1], *older, *newer, *fillers[0]], [*newer, *fillers[0], *fillers[1], *older]):
        assert "2 guests are migrated in this text: 0xbbb is judged" in parse("".join(lines).encode()).notes
