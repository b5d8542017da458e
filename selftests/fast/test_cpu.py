# SPDX-License-Identifier: GPL-2.0-or-later
"""What both QEMUs took of the host's CPUs, beside a migration."""

import asyncio
import os
import threading
from types import SimpleNamespace

import pytest

from avocado_migdowntime.agent import look as this_host
from avocado_migdowntime.agent.look import cpu_seconds
from avocado_migdowntime.errors import HarnessError, UsageError
from avocado_migdowntime.experiments.cpu_use import cpu_recorded
from avocado_migdowntime.pictures.chart_of_trace import chart
from avocado_migdowntime.qemu.pair import Side
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.trace.cpu import CpuUse, cpu_courses
from avocado_migdowntime.trace.events import CPU, HARNESS
from avocado_migdowntime.verdict.judge import judge

from ..support.traces import Pass, completed, event, made, precopy

ROWS = precopy(Pass(20_000, 500), Pass(20_000, 500), Pass(20_000))


def look(t_s, **sides):
    data = {side: dict(zip(("qemu_s", "vcpus_s"), seconds, strict=False)) for side, seconds in sides.items()}
    return event(t_s, HARNESS, CPU, data)


LOOKS = (
    look(-0.5, source=(1.0, 0.5), destination=(0.25, 0.125)),
    look(0.0, source=(1.5, 0.75), destination=(0.5, 0.125)),
    look(2.0, source=(4.0, 2.75), destination=(1.0, 0.125)),
    look(4.0, source=(4.5, 3.0), destination=(2.5,)),
)


def test_it_is_told_of_the_time_from_the_first_sample_to_the_guests_stop():
    """2.5 and 0.5 s of 2 s; what is before the migration and after the stop is not of it."""
    stop = event(3.0, "source", "STOP")
    told = judge(made([*ROWS, completed(ROWS)], events=(*LOOKS[:3], stop, *LOOKS[3:]))).cpu
    assert told == {"source": CpuUse(1.25, 1.0), "destination": CpuUse(0.25, 0.0)}
    told = fields(judge(made(ROWS, events=LOOKS)))["cpu"]
    assert told == {"source": {"qemu": 0.75, "vcpus": 0.5625}, "destination": {"qemu": 0.5, "vcpus": None}}


@pytest.mark.parametrize("looks", [(), LOOKS[:1], LOOKS[:2], (LOOKS[1], LOOKS[1])])
def test_of_less_than_two_looks_nothing_is_told(looks):
    assert judge(made(ROWS, events=looks)).cpu == {}


def test_a_side_that_was_not_looked_at_has_none():
    looks = (look(0.0, source=(1, 1)), look(1.0, source=(2,), destination=(1, 1)))
    assert judge(made(ROWS, events=looks)).cpu == {"source": CpuUse(1.0, None)}
    assert [course.side for course in cpu_courses(made(ROWS, events=looks))] == ["source"]


def test_it_is_drawn_as_what_was_busy_from_each_look_to_the_next():
    trace = made(ROWS, events=LOOKS)
    *_, panel = chart(trace, judge(trace)).panels
    curves = {one.name: (one.t_s.tolist(), one.values.tolist()) for one in panel.series}
    assert curves == {
        "source QEMU": ([-0.5, 0, 2, 4], [1, 1.25, 0.25, 0.25]),
        "its vCPUs": ([-0.5, 0, 2, 4], [0.5, 1, 0.125, 0.125]),
        "destination QEMU": ([-0.5, 0, 2, 4], [0.5, 0.25, 0.75, 0.75]),
    }
    assert (panel.title, panel.unit) == ("Busy host CPUs", "CPUs")
    assert panel.top == pytest.approx(1.25 * 1.15)


def test_where_it_was_not_recorded_there_is_no_such_panel():
    trace = made(ROWS)
    assert [panel.unit for panel in chart(trace, judge(trace)).panels] == ["MB", "ms", "MB/s"]


def test_what_is_no_number_is_refused_in_a_sentence():
    looks = (look(0.0, source=("much", 1)), look(1.0, source=(2, 1)))
    with pytest.raises(UsageError, match="'qemu_s' is 'much'"):
        judge(made(ROWS, events=looks))


class Place:
    """A host that tells of its QEMUs."""

    def __init__(self, fault=None):
        self.asked, self.fault = [], fault

    async def cpu_seconds(self, qemu, vcpus):
        if self.fault is not None:
            raise self.fault
        self.asked.append((qemu.name, vcpus))
        return {"qemu_s": 1.0}


class Qemu:
    """A QEMU with two vCPUs."""

    def __init__(self, name):
        self.name = name

    async def execute(self, command):
        return [{"thread-id": 8, "cpu-index": 0}, {"thread-id": 7, "cpu-index": 1}]


def recorded(*places):
    """What was noted of QEMUs in these places, from the first look and the last."""
    noted = []
    sides = [Side(Qemu(name), place) for name, place in zip(("source", "destination"), places, strict=True)]

    async def record():
        pair, sampler = SimpleNamespace(sides=sides), SimpleNamespace(note=lambda name, data: noted.append(data))
        async with cpu_recorded(pair, sampler):
            pass

    asyncio.run(record())
    return noted


def test_each_qemu_is_looked_at_on_its_own_host():
    here, lab1 = Place(), Place()
    both = {"source": {"qemu_s": 1.0}, "destination": {"qemu_s": 1.0}}
    assert recorded(here, here) == [both, both]
    assert here.asked == [("source", [7, 8]), ("destination", [7, 8])] * 2
    here.asked.clear()
    assert sorted(map(list, recorded(lab1, here))) == [["destination"]] * 2 + [["source"]] * 2
    assert (lab1.asked, here.asked) == ([("source", [7, 8])] * 2, [("destination", [7, 8])] * 2)


def test_a_host_that_does_not_answer_ends_it():
    with pytest.raises(HarnessError, match="is gone"):
        recorded(Place(), Place(HarnessError("the connection to lab1 is gone")))


def test_a_process_has_what_its_threads_have():
    pid = os.getpid()
    threads = [threading.get_native_id()]
    before = cpu_seconds(pid, threads)
    while cpu_seconds(pid, threads)["vcpus_s"] < before["vcpus_s"] + 0.03:
        pass
    assert cpu_seconds(pid, threads)["qemu_s"] >= before["qemu_s"] + 0.01
    assert cpu_seconds(pid, [])["vcpus_s"] == 0


def test_how_long_threads_waited_and_what_a_hypervisor_withheld_are_what_the_kernel_counts(monkeypatch):
    texts = {
        "/proc/stat": "cpu  1 2 3 4 5 6 7 250 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1",
        "/proc/7/stat": f"7 (a) b) S {' '.join('0' for _ in range(10))} 300 100 0",
        "/proc/7/task/7/schedstat": "5000000000 20000000 1",
        "/proc/7/task/8/schedstat": "1000000000 30000000 1",
    }

    def text(path):
        if path not in texts:
            raise FileNotFoundError(path)
        return texts[path]

    monkeypatch.setattr(this_host, "_text", text)
    monkeypatch.setattr(this_host.os, "listdir", lambda path: {"/proc/7/task": ["7", "8", "9"]}[path])
    monkeypatch.setattr(this_host.os, "sysconf", lambda name: 100)
    known = cpu_seconds(7, [8])
    assert known == pytest.approx({"qemu_s": 4.0, "vcpus_s": 1.0, "queued_s": 0.05, "stolen_s": 2.5})
    texts["/proc/stat"] = "cpu  1 2 3 4 5 6 7"
    for thread in (7, 8):
        del texts[f"/proc/7/task/{thread}/schedstat"]
    assert cpu_seconds(7, [8]) == {"qemu_s": 4.0}


def test_of_one_that_has_ended_nothing_is_known():
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    assert cpu_seconds(pid, [pid]) == {}
