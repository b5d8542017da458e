# SPDX-License-Identifier: GPL-2.0-or-later
"""How far the guest gets with its writes, beside a migration: noted, read again, and drawn."""

import asyncio
import struct
from types import SimpleNamespace

import pytest

from avocado_migdowntime.errors import HarnessError, UsageError
from avocado_migdowntime.experiments.guest_progress import progress_recorded
from avocado_migdowntime.pictures.chart_of_trace import chart
from avocado_migdowntime.qemu.pair import Side
from avocado_migdowntime.trace.events import GUEST_PROGRESS, HARNESS
from avocado_migdowntime.trace.guest_progress import guest_courses
from avocado_migdowntime.verdict.judge import judge

from ..support.traces import Pass, completed, event, made, precopy

ROWS = precopy(Pass(20_000, 500), Pass(20_000, 500), Pass(20_000))


def look(t_s, side, pages):
    return event(t_s, HARNESS, GUEST_PROGRESS, {"side": side, "pages": pages})


STAYS = (look(0.0, "source", 1000), look(0.5, "source", 3000), look(1.0, "source", 3500))
MOVES = (
    *(look(1.0, "destination", 1000), event(1.2, "source", "STOP"), event(1.4, "destination", "RESUME")),
    *(look(1.5, "destination", 3600), look(2.0, "source", 3600), look(2.5, "destination", 5600)),
)


def shown(trace):
    return {course.side: (course.t_s.tolist(), course.pages_per_s.tolist()) for course in guest_courses(trace)}


def test_a_guest_that_stays_is_looked_at_on_the_source_alone():
    """The destination's RAM is a copy."""
    looks = (*STAYS, look(1.0, "destination", 1000), look(1.5, "destination", 1200))
    assert shown(made(ROWS, events=looks)) == {"source": ([0, 0.5, 1], [4000, 1000, 1000])}


def test_one_that_moves_is_looked_at_where_it_runs():
    moved = made([*ROWS, completed(ROWS)], events=(*STAYS, *MOVES))
    assert shown(moved) == {
        "source": ([0, 0.5, 1], [4000, 1000, 1000]),
        "destination": ([1.5, 2.5], [2000, 2000]),
    }


def test_it_is_drawn_in_a_panel_of_its_own():
    trace = made(ROWS, events=STAYS)
    *_, panel = chart(trace, judge(trace)).panels
    assert (panel.title, panel.unit) == ("Guest writes", "1000 pages/s")
    assert {one.name: one.values.tolist() for one in panel.series} == {"guest on the source": [4, 1, 1]}
    assert panel.top == pytest.approx(4 * 1.15)


@pytest.mark.parametrize("looks", [(), STAYS[:1]])
def test_of_less_than_two_looks_nothing_is_drawn(looks):
    trace = made(ROWS, events=looks)
    assert [panel.unit for panel in chart(trace, judge(trace)).panels] == ["MB", "ms", "MB/s"]


def test_what_is_no_number_is_refused_in_a_sentence():
    with pytest.raises(UsageError, match="'pages' is 'many'"):
        guest_courses(made(ROWS, events=(look(0.0, "source", "many"),)))


class Ram:
    """RAM with a telemetry page of two vCPUs, once there is one."""

    def __init__(self, *written):
        self.written = written

    async def read(self, address, size):
        assert address == 0x1000
        if not self.written:
            return bytes(size)
        words = 37 * [0]
        words[13], words[27], words[28] = self.written[0], 2, self.written[1]
        return (b"TNWODGIM" + struct.pack("<37Q", *words)[8:]).ljust(size, b"\0")


class GoneRam:
    """RAM on a host that does not answer."""

    async def read(self, address, size):
        raise HarnessError("the connection is gone")


def test_each_side_is_looked_at_once_its_page_is_there():
    """What is not there is no fault: a lost host is reported by what needs it."""

    def noted(*rams):
        names = []
        sides = [Side(SimpleNamespace(name=name), None) for name in ("source", "destination")]
        sampler = SimpleNamespace(note=lambda name, data: names.append((name, data["side"], data["pages"])))

        async def record():
            async with progress_recorded(SimpleNamespace(sides=sides), rams, 0x1000, sampler):
                pass

        asyncio.run(record())
        return names

    assert noted(Ram(5, 7), Ram()) == [(GUEST_PROGRESS, "source", 12)] * 2
    assert noted(GoneRam(), Ram(1, 2)) == [(GUEST_PROGRESS, "destination", 3)] * 2
