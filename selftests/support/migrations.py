# SPDX-License-Identifier: GPL-2.0-or-later
"""Made-up migrations, and what can be wrong with one."""

import re
from dataclasses import replace

from avocado_migdowntime.faults.fault import Fault
from avocado_migdowntime.forms.file import parse, read
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.trace.figures import Column
from avocado_migdowntime.trace.samples import Samples
from avocado_migdowntime.verdict.mid_pass_stop import STOPS_AT
from avocado_migdowntime.verdict.predicted_downtime import FIXED_DOWNTIME_MS

from .documents import TOP
from .recorded import SNAPSHOT
from .simulate import Simulation, record
from .traces import Pass, completed, event, made, precopy
from .trials import BYTES_PER_MS, PAGES, tried, under

RELEASE_7 = {"qemu": {"major": 7, "minor": 2, "micro": 22}, "package": ""}
RELEASE_11 = {"qemu": {"major": 11, "minor": 1, "micro": 3}, "package": ""}


def of(pass_ms, limit_ms=1.0, fault=None, **more):
    """Passes of that length after one of 1.5 s, by which the dirty rate is known."""
    pages = [int(ms * BYTES_PER_MS / 4096) for ms in (1500, *pass_ms)]
    return record(Simulation(pages, BYTES_PER_MS, limit_ms, **more), fault=fault, switchover_ms=20)


def posted(name, before=b""):
    """What is read from a text that was posted, after something else."""
    return parse(before + (TOP / "selftests" / "forms" / name).read_bytes())


def resting(name, seconds):
    """The same, shown again after so many seconds in which nothing was sent."""
    text = (TOP / "selftests" / "forms" / name).read_bytes()
    later = re.sub(rb"(?<=total time: )\d+", lambda shown: b"%d" % (int(shown[0]) + 1000 * seconds), text)
    return parse(text + b"\n" + later)


def looked_at(**altered):
    """A single look, as from `info migrate`: the one that started this project, with other figures."""
    shown = read(str(SNAPSHOT))
    sample = shown.samples[-1]
    ram = {name: altered.pop(name) for name in list(altered) if hasattr(sample.ram, name)}
    return replace(shown, samples=(replace(sample, ram=replace(sample.ram, **ram), **altered),))


def with_header(trace, **fields_of_it):
    return replace(trace, header={**trace.header, **fields_of_it})


def with_events(trace, *events):
    return replace(trace, events=tuple(sorted((*trace.events, *events), key=lambda event: event.t_s)))


def half_sent():
    trace = with_header(of([2000, 10], 300.0), qemu=RELEASE_7, accelerator="tcg")
    return harness(trace, "INTEGRITY", pages=9, damaged_pages=1, half_sent=1, faults=["page 3 is torn"])


def harness(trace, name, **data):
    """The trace with an event of the harness after its end."""
    return with_events(trace, Event(trace.samples[-1].t_s + 0.1, "harness", name, data))


def over_a_link(trace, told=1.0, devices=0, in_packet=8934, *events):
    """The trace, with a link that carried 1 ÷ `told` of what QEMU reports, by its own counters.

    In the end it has also carried the bytes of its `devices`. A packet has `in_packet` bytes, and 66 of headers.
    """
    looks = [(-0.01, 0)]
    looks += [(sample.t_s - 0.001, sample.ram.transferred_bytes / told) for sample in trace.samples[::10] if sample.ram]
    looks.append((trace.samples[-1].t_s + 0.2, trace.samples[-1].ram.transferred_bytes / told + devices))
    packets = [round(payload / in_packet) for _, payload in looks]
    carried = [
        Event(t_s, "harness", "CARRIED", {"bytes": 5000 + round(payload) + 66 * count, "packets": count + 7})
        for (t_s, payload), count in zip(looks, packets, strict=True)
    ]
    return with_events(trace, *carried, *events)


def postcopy(trace):
    last = trace.samples[-1]
    return replace(trace, samples=(*trace.samples, replace(last, t_s=last.t_s + 0.02, status="postcopy-active")))


def under_300(*late, **more):
    """A migration that completes under 300 ms set by a harness, although more was needed."""
    trace, limit = under(*late, **more)
    return with_events(trace, limit)


def bandwidth_rose():
    """Only samples of the switchover show it."""
    trace = under_300(300.0, later={25_000: 90_000.0})
    final = trace.samples[-1]
    switching = replace(final, status="active", ram=replace(final.ram, mbps=720.0))
    return replace(trace, samples=(*trace.samples[:-1], switching, replace(final, t_s=final.t_s + 0.02)))


def dirties_more():
    found = iter([1, 1, 1, *[2] * 99])
    return tried({8_000: ("chosen", 2500.0)}, workload=lambda ms, unsent: PAGES * next(found), duration_ms=30_000)


def predicted(down_ms, limit_ms=2500.0, window=0.0):
    """A migration over a really slow link, with QEMU's downtime at the end.

    The window of its last report sent more than others by the share `window`.
    """
    simulation = Simulation([PAGES], BYTES_PER_MS, later_limits_ms={8_000: 2500.0}, duration_ms=20_000)
    trace = record(simulation, switchover_ms=30)
    data = {"trial": "chosen", "downtime-limit": limit_ms, "limit-from": "oracle"}
    trace = with_events(with_header(trace, **{FIXED_DOWNTIME_MS: 40}), Event(7.9, "harness", "LIMIT", data))
    *before, active, last = trace.samples
    if window:
        ram = replace(active.ram, mbps=active.ram.mbps * (1 + window))
        active = replace(active, ram=ram, expected_downtime_ms=active.expected_downtime_ms // (1 + window))
    return replace(trace, samples=(*before, active, replace(last, downtime_ms=down_ms)))


def dirtied_less(down_ms):
    """The same, whose guest dirtied a tenth less than what QEMU's last report, 2000 ms, is of."""
    rows = precopy(Pass(30_000), Pass(20_000), Pass(20_000))
    stop = event(rows[-1]["t"] + 0.001, "source", "STOP")
    return made([*rows, completed(rows, dirtied=18_000, downtime=down_ms)], [stop], header={FIXED_DOWNTIME_MS: 0})


def stalled(trace, late_s):
    """The trace, with looks at its QEMU of which one was late shortly before the end."""
    end_s = trace.samples[-1].t_s
    before_s = [(end_s - late_s - 0.1 * number) for number in range(9, 1, -1)]
    looks = [Event(t_s, "harness", "CPU", {"source": {"qemu_s": 1.0}}) for t_s in (*before_s, end_s - 0.1, end_s)]
    return with_events(trace, *looks)


def stopped(trace=None, stamps=(1000.0, 1003.0), order=True):
    """A migration whose guest a harness stopped in mid-pass, with these time stamps of the source's and destination's
    events.
    """
    trace = trace or of([2000, 2000, 900], 1000.0)
    last_s = trace.samples[-2].t_s
    events = [
        Event(last_s + 0.001, "source", "STOP", {}, stamps[0]),
        Event(trace.samples[-1].t_s, "destination", "MIGRATION", {"status": "completed"}, stamps[1]),
        *([Event(last_s, "harness", "STOP_NOW", {})] if order else []),
    ]
    told = replace(trace, events=tuple(event for event in trace.events if event.name != "STOP"))
    return with_events(with_header(told, **{STOPS_AT: 0.5}), *events)


def jumped():
    """A migration whose count of bytes sent jumps once by what some ten windows carry, and then goes on."""
    trace = of([2000, 2000])
    table = trace.samples.table.copy()
    table[Column.TRANSFERRED, len(trace.samples) // 2 :] += 12_000_000
    return replace(trace, samples=Samples(table, trace.samples.labels))


def without_bandwidth():
    trace = stopped()
    *before, last = trace.samples
    return replace(trace, samples=(*before, replace(last, ram=None)))


def missing_before_the_stop():
    trace = stopped()
    number = trace.samples[-2].ram.dirty_sync_count - 1
    return replace(trace, samples=tuple(s for s in trace.samples if s.ram.dirty_sync_count != number))


class Mbps(Fault):
    """Another bandwidth, computed from the right one by `altered`."""

    def __init__(self, altered):
        self._altered = altered

    def from_qemu(self, command, answer):
        if not (ram := answer.get("ram")):
            return answer
        return {**answer, "ram": {**ram, "mbps": self._altered(ram["mbps"])}}


class Pending(Fault):
    """Pending bytes, and with them the report, multiplied by a factor."""

    def __init__(self, factor):
        self._factor = factor

    def from_qemu(self, command, answer):
        return {
            **answer,
            **{n: int(answer[n] * self._factor) for n in ("remaining", "expected-downtime") if n in answer},
        }


def capped(bytes_per_ms):
    """A migration at BYTES_PER_MS, with another max-bandwidth recorded."""
    parameters = {"downtime-limit": 1, "max-bandwidth": bytes_per_ms * 1000}
    return with_header(of([2000]), **{"migrate-parameters": parameters, "tracked": ["max-bandwidth"]})


def at_once():
    """A migration that is over before a window is."""
    trace = of([], duration_ms=80)
    last = trace.samples[-1]
    over = replace(last.ram, remaining_bytes=0, dirty_sync_count=2)
    final = replace(last, t_s=last.t_s + 0.05, status="completed", ram=over)
    trace = replace(trace, samples=(*trace.samples, final))
    return with_events(trace, Event(last.t_s + 0.01, "source", "STOP", {}))


def unseen():
    """A switchover without a sync, with no samples for a while before it."""
    trace = of([2000, 10], 300.0, syncs_at_switchover=0)
    return replace(trace, samples=(*trace.samples[:-20], trace.samples[-1]))


def beside_a_disk():
    trace = of([2000])
    return replace(trace, samples=tuple(replace(sample, disk_bytes=9e6) for sample in trace.samples))


def beside_vfio(trace):
    """The same with a VFIO device that has sent a little."""
    return replace(trace, samples=tuple(replace(sample, vfio_bytes=7.0) for sample in trace.samples))


def slowed(*percents, apart_s=0.0, **more):
    """Passes from the second on, in each of which auto-converge slows the guest by that percentage.

    Looks around the last step are at least `apart_s` apart.
    """
    parameters = {"cpu-throttle-initial": 20, "cpu-throttle-increment": 10, "max-cpu-throttle": 99, **more}
    trace = with_header(
        of([2000], duration_ms=9_000),
        capabilities=["auto-converge"],
        tracked=[*parameters],
        **{"migrate-parameters": {"downtime-limit": 1, **parameters}},
    )
    slowed_by = dict(zip(range(3, 3 + len(percents)), percents, strict=True))
    samples = [replace(s, throttle_percent=slowed_by.get(s.ram.dirty_sync_count) or None) for s in trace.samples]
    step_s = next(s.t_s for s in samples if s.ram.dirty_sync_count == 2 + len(percents))
    return replace(trace, samples=tuple(s for s in samples if abs(s.t_s - step_s) >= apart_s / 2))
