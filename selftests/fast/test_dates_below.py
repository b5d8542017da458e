# SPDX-License-Identifier: GPL-2.0-or-later
"""What `date` prints below each output, as a user's own loop may call it after its command."""

import pytest

from avocado_migdowntime.forms.clock import Clock
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.trace.reading import Reading, Stamp

ONE_HAS_NONE = "one of the texts shows no time, so only the last one is judged"
DATES = [f"Mon Nov 30 00:{at} UTC 2026" for at in ("22:35", "22:40", "23:45")]


def look(number, total_ms=None):
    """What `info migrate` prints; only with `total_ms` does it show a time of its own."""
    sent, left = 42_407 + 61_000 * number, 7404 + 20_000 * (3 - number)
    times = [] if total_ms is None else [f"total time: {total_ms} ms"]
    pages = [f"normal: {sent // 4} pages", "duplicate: 59380 pages", "dirty sync count: 2", "page size: 4 kbytes"]
    figures = [f"transferred ram: {sent} kbytes", "throughput: 96.53 mbps", f"remaining ram: {left} kbytes", *pages]
    return "".join(f"{line}\n" for line in ["Migration status: active", *times, "expected downtime: 2086 ms", *figures])


LOOP = "".join(f"{look(number)}{date}\n" for number, date in enumerate(DATES))
QUOTED = "".join(f"> {line}\n" for line in LOOP.splitlines())


def times_of(text):
    trace = parse(text.encode())
    return None if trace.snapshot else trace.samples.t_s.tolist()


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        LOOP.rstrip(),
        QUOTED,
        f"$ while true; do virsh qemu-monitor-command vm1 ...; date; sleep 5; done\n{LOOP}^C\nIt does not end.\n",
        f"{LOOP}error: Domain not found\nMon Nov 30 00:23:50 UTC 2026\n",
        LOOP.replace(DATES[0], f"{DATES[0]}\nerror: timed out\nMon Nov 30 00:22:37 UTC 2026"),
    ],
    ids=["alone", "without its last line end", "quoted", "within a mail", "to an error", "with an error within"],
)
def test_each_is_the_time_of_the_figures_above_it(text):
    assert times_of(text) == [0, 5, 70]


def test_seconds_since_1970_are_such_times():
    assert times_of("".join(f"{look(number)}{1_796_000_000 + 7 * number}\n" for number in range(3))) == [0, 7, 14]


@pytest.mark.parametrize(
    "text",
    [
        LOOP.replace(f"{DATES[2]}\n", ""),
        f"{LOOP}{look(3)}",
        LOOP.replace(f"{DATES[1]}\n", ""),
        f"{look(0)}{LOOP}",
    ],
    ids=["none below the last", "one more without", "one without in the middle", "two above the first"],
)
def test_where_some_have_none_below_them_it_is_no_clock(text):
    trace = parse(text.encode())
    assert trace.snapshot and ONE_HAS_NONE in trace.notes


def test_total_time_is_compared_with_the_date_below():
    totals_ms = (3602, 8610, 73_610)
    text = "".join(f"{look(number, totals_ms[number])}{date}\n" for number, date in enumerate(DATES))
    trace = parse(text.encode())
    assert trace.samples.t_s.tolist() == [3.602, 8.61, 73.61]
    assert not any("total-time" in note for note in trace.notes)


def test_in_a_pipe_figures_go_by_when_they_came_unless_the_first_have_a_date_above():
    def came(*readings):
        clock = Clock()
        return [clock.of_reading(Reading({"ram": {}}, at, arrived_s=came_s))[0] for at, came_s in readings]

    first, second = (Stamp(t_s, 2.0, is_above=True) for t_s in (100.0, 102.0))
    assert came((None, 1.0), (first, 3.5), (second, 9.0)) == [1.0, 3.5, 9.0]
    assert came((first, 1.0), (second, 3.5)) == [0.0, 2.0]
