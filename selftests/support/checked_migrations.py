# SPDX-License-Identifier: GPL-2.0-or-later
"""A migration for each code of each check: `CHECKED`, by what is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from avocado_migdowntime.faults.figures import Frozen, OnceAPass, Stale, Uncomputed
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.verdict.check import Outcome
from avocado_migdowntime.verdict.trials import TRIES_LIMITS

from .migrations import (
    RELEASE_11,
    Mbps,
    Pending,
    at_once,
    bandwidth_rose,
    beside_a_disk,
    beside_vfio,
    capped,
    dirtied_less,
    dirties_more,
    half_sent,
    harness,
    jumped,
    looked_at,
    missing_before_the_stop,
    of,
    over_a_link,
    postcopy,
    posted,
    predicted,
    resting,
    slowed,
    stalled,
    stopped,
    under_300,
    unseen,
    with_events,
    with_header,
    without_bandwidth,
)
from .postcopy_waits import READY, RESUME, SAYS_NOTHING, beside, looks, told
from .simulate import Simulation, random_writes, record
from .traces import Pass, from_the_second, made, precopy
from .trials import BYTES_PER_MS, NEEDED_MS, PAGES, tried

P, F, U, N = Outcome.PASSED, Outcome.FAILED, Outcome.UNDECIDED, Outcome.NOT_JUDGED


@dataclass(frozen=True)
class Migration:
    """How to make its trace, what to judge it by, and some of its checks: their names, outcomes and codes."""

    make: Callable[[], Trace]
    codes: tuple[tuple[str, Outcome, str], ...]
    contract: str = "last-sync"


def row(make, *codes, **more):
    """A row of the table."""
    return Migration(make, tuple(tuple(code) for code in codes), **more)


WRONG = {"factor": lambda sync, live, rate, bw: 1.5 * sync / bw, "rate": lambda sync, live, rate, bw: 1000 * rate / bw}
CHECKED = {
    "a correct QEMU": row(lambda: of([2000]), ("report", P, "accurate"), ("limit", P, "respected")),
    "the dirty rate": row(lambda: of([2000], estimate=WRONG["rate"]), ("report", F, "another-formula")),
    "a factor": row(lambda: of([2000], estimate=WRONG["factor"]), ("report", F, "no-formula")),
    "never computed": row(lambda: of([2000], fault=Uncomputed(True)), ("report", F, "uncomputed")),
    "never renewed": row(lambda: of([2000, 1500, 2500], fault=Frozen()), ("report", F, "frozen")),
    "of the pass before": row(lambda: of([2000, 1500, 2500, 1700], fault=Stale()), ("report", F, "stale")),
    "renewed late": row(
        lambda: of([2000, 1500, 2500, 1700], fault=OnceAPass(), duration_ms=15_000), ("report", F, "once-a-pass")
    ),
    "a first pass": row(
        lambda: of([2000], duration_ms=1_000), ("report", U, "first-pass"), ("limit", N, "no-end-seen")
    ),
    "two looks at one pass": row(lambda: posted("info-migrate-7.2-twice.txt"), ("report", U, "no-pass")),
    "a text with a limit": row(
        lambda: posted("info-migrate-7.2-twice.txt", b"info migrate_parameters\ndowntime-limit: 300 milliseconds\n"),
        ("limit", N, "not-tracked"),
    ),
    "a look at a counter below 0": row(
        lambda: posted("info-migrate-5.2-remaining-below-0.txt"), ("report", U, "overrun"), ("limit", N, "single-look")
    ),
    "looks while nothing is sent": row(lambda: resting("info-migrate-7.0-trimmed.txt", 60), ("report", U, "stalled")),
    "a background snapshot": row(
        lambda: with_header(of([2000]), capabilities=["background-snapshot"]),
        ("report", U, "no-precopy"),
        ("limit", N, "single-look"),
    ),
    "a look at what no link carries": row(
        lambda: replace(posted("info-migrate-7.2-quoted.txt"), doubt="too much was sent"), ("report", U, "too-fast")
    ),
    "a look beside a disk": row(lambda: posted("qmp-2.3-with-a-disk-and-nan.txt"), ("report", U, "disk")),
    "a look after postcopy began": row(lambda: posted("info-migrate-10.1-postcopy.txt"), ("report", U, "postcopy")),
    "a look before anything was measured": row(
        lambda: replace(looked_at(mbps=0.0), readings=()), ("report", U, "no-bandwidth")
    ),
    "a look while devices are sent": row(lambda: looked_at(status="device"), ("report", U, "not-active")),
    "wrong late in each pass": row(
        lambda: of([2000], estimate=lambda sync, live, rate, bw: 1 if live < sync / 3 else sync / bw),
        ("report", U, "scattered"),
    ),
    "passes of a second": row(
        lambda: record(Simulation([1020 * 12_000 // 4096], zero_pages=0, duration_ms=6_000)),
        ("report", U, "formulas-alike"),
    ),
    "a limit that blurs passes": row(
        lambda: made(precopy(*[Pass(20_000, 2_000, 1_000)] * 3), limit_ms=300), ("report", U, "wide")
    ),
    "a look at one that is over": row(
        lambda: looked_at(status="completed"), ("report", U, "ended"), ("limit", N, "single-look")
    ),
    "a look that shows no report": row(lambda: looked_at(expected_downtime_ms=None), ("report", U, "nothing-shown")),
    "a look at an idle guest": row(lambda: looked_at(dirty_pages_per_s=0), ("report", U, "nothing-computed")),
    "a look at too little": row(lambda: looked_at(expected_downtime_ms=1000.0), ("report", U, "below-what-is-left")),
    "a look at enough": row(lambda: looked_at(expected_downtime_ms=4000.0), ("report", U, "plausible")),
    "a look at the dirty rate": row(looked_at, ("report", F, "another-formula")),
    "a look at the dirty rate, as it should be": row(looked_at, ("report", P, "accurate"), contract="dirty-rate"),
    "a look at what should be the dirty rate": row(
        lambda: looked_at(expected_downtime_ms=4000.0), ("report", U, "no-formula"), contract="dirty-rate"
    ),
    "passes that end early": row(lambda: of([2000], used_limit_ms=300), ("limit", F, "ended-early")),
    "passes that go on": row(lambda: of([2000], 700.0, used_limit_ms=300), ("limit", F, "went-on-in-a-pass")),
    "passes that begin in vain": row(
        lambda: of([2000, 2000, 100], 300.0, used_limit_ms=1), ("limit", F, "went-on-at-a-sync")
    ),
    "passes that go on beside a device": row(
        lambda: beside_vfio(of([2000], 700.0, used_limit_ms=300)), ("limit", N, "devices"), ("bandwidth", N, "devices")
    ),
    "passes that begin while the destination does not agree": row(
        lambda: made(
            precopy(*[Pass(20_000, 2_000)] * 2, Pass(2_100, 1_000), *[Pass(1_100, 1_000)] * 4, limit_ms=300),
            limit_ms=300,
            header={"capabilities": ["switchover-ack"]},
        ),
        ("limit", N, "switchover-ack"),
    ),
    "an early switchover": row(
        lambda: of([2000, 2000, 1900], 10.0, used_limit_ms=1950), ("limit", F, "switched-over-early")
    ),
    "no limit on record": row(
        lambda: with_header(of([2000]), **{"migrate-parameters": {}}), ("limit", N, "not-recorded")
    ),
    "postcopy allowed for": row(
        lambda: with_header(of([2000]), capabilities=["postcopy-ram"], qemu=RELEASE_11), ("limit", N, "postcopy-ram")
    ),
    "long passes with auto-converge": row(
        lambda: made(from_the_second(*[Pass(55_000)] * 3), header={"capabilities": ["auto-converge"]}),
        ("limit", N, "auto-converge"),
    ),
    "a guest slowed as was set": row(lambda: slowed(20, 20, 30), ("throttle", P, "as-set"), ("limit", P, "respected")),
    "a guest slowed too much at first": row(lambda: slowed(25, 25, 35), ("throttle", F, "another-first")),
    "a guest slowed in other steps": row(lambda: slowed(20, 20, 35), ("throttle", F, "another-step")),
    "a guest that should be slowed": row(
        lambda: slowed(0, 0, 0, **{"throttle-trigger-threshold": 50}), ("throttle", F, "not-slowed")
    ),
    "a guest slowed between two looks": row(lambda: slowed(0, 0, 30, apart_s=2.1), ("throttle", N, "sparse")),
    "a guest that is not slowed": row(lambda: slowed(0, 0, 0), ("throttle", N, "no-step-seen")),
    "a guest slowed by others' steps": row(
        lambda: harness(slowed(20, 20, 35), "THROTTLE_CHANGED", **{"cpu-throttle-increment": 15}),
        ("throttle", N, "changed"),
    ),
    "a guest slowed as nobody knows": row(
        lambda: with_header(slowed(20, 20, 30), tracked=[]), ("throttle", N, "not-tracked")
    ),
    "postcopy": row(lambda: postcopy(of([2000])), ("report", P, "accurate"), ("limit", N, "postcopy")),
    "limits that do what they should": row(tried, ("convergence", P, "right")),
    "no limit to try": row(lambda: with_header(of([2000]), **{TRIES_LIMITS: True}), ("convergence", U, "not-tried")),
    "no chosen limit": row(
        lambda: tried({8_000: ("below", 1000.0)}, duration_ms=16_000), ("convergence", U, "chosen-not-tried")
    ),
    "limits tried too soon": row(
        lambda: tried({500: ("chosen", 2500.0)}, duration_ms=9_000), ("convergence", U, "need-unknown")
    ),
    "a trace that ends at once": row(
        lambda: tried({7_000: ("chosen", 2500.0)}, used_limit_ms=1.0, duration_ms=7_500),
        ("convergence", U, "too-short"),
    ),
    "a limit that should do": row(
        lambda: tried({8_000: ("chosen", 2500.0)}, used_limit_ms=300.0), ("convergence", F, "did-not-converge")
    ),
    "a guest that dirties more": row(dirties_more, ("convergence", U, "guest-dirtied-more")),
    "a limit that should not do": row(lambda: under_300(2500.0), ("convergence", F, "converged-under-less")),
    "a bandwidth that rose": row(bandwidth_rose, ("convergence", U, "may-have-needed-less")),
    "shorter passes": row(
        lambda: tried({12_000: ("below", 1500.0)}, workload=random_writes(PAGES, 6.0), duration_ms=40_000),
        ("convergence", U, "may-have-needed-less"),
    ),
    "another limit than was tried": row(
        lambda: tried({8_000: ("below", 1000.0)}, used_limit_ms=300.0), ("convergence", F, "limit-violated")
    ),
    "memory that arrived": row(
        lambda: harness(of([2000, 10], 300.0), "INTEGRITY", pages=9, damaged_pages=0, faults=[]),
        ("memory", P, "intact"),
        ("guest", P, "went-on"),
    ),
    "memory that did not": row(
        lambda: harness(of([2000, 10], 300.0), "INTEGRITY", pages=9, damaged_pages=1, faults=["page 3 is lost"]),
        ("memory", F, "damaged"),
    ),
    "a last write that arrived in part": row(half_sent, ("memory", U, "half-sent")),
    "a guest that is silent": row(
        lambda: with_events(
            of([2000, 10], 300.0),
            Event(9.0, "harness", "HEARTBEAT", {"side": "source", "after_s": 1, "by_s": 2}),
            Event(9.1, "harness", "HEARTBEAT", {"side": "destination", "silent_s": 5}),
        ),
        ("guest", F, "silent"),
    ),
    "a downtime as said": row(lambda: predicted(NEEDED_MS + 40), ("downtime", P, "match")),
    "a downtime that is longer": row(lambda: predicted(2 * NEEDED_MS), ("downtime", F, "not-as-reported")),
    "a downtime after an odd window": row(lambda: predicted(NEEDED_MS, window=0.31), ("downtime", U, "odd-window")),
    "a downtime of a guest that dirtied less": row(
        lambda: dirtied_less(1780), ("downtime", U, "dirtied-otherwise"), ("report", P, "accurate")
    ),
    "a downtime on a host that stalled": row(
        lambda: stalled(predicted(1.15 * NEEDED_MS + 40), 0.2), ("downtime", U, "stalled")
    ),
    "a downtime above the limit": row(lambda: predicted(NEEDED_MS, 1500.0), ("downtime", F, "above-the-limit")),
    "a bandwidth that is too high": row(
        lambda: of([2000], fault=Mbps(lambda mbps: 1.5 * mbps)),
        ("report", U, "wide"),
        ("bandwidth", F, "not-as-sent"),
    ),
    "a bandwidth as it should be": row(lambda: of([2000]), ("bandwidth", P, "as-sent")),
    "a bandwidth beside a jump": row(jumped, ("bandwidth", U, "one-place"), ("report", P, "accurate")),
    "a bandwidth of a few windows": row(lambda: of([2000], duration_ms=600), ("bandwidth", N, "wide")),
    "a bandwidth that is hardly sampled": row(
        lambda: record(Simulation([PAGES]), period_ms=300, on_syncs=False), ("bandwidth", N, "not-seen")
    ),
    "a bandwidth beside a disk": row(beside_a_disk, ("bandwidth", N, "disk"), ("report", U, "disk")),
    "what its link carried": row(lambda: over_a_link(of([2000, 10], 300.0)), ("transferred", P, "as-carried")),
    "half of what its link carried": row(
        lambda: over_a_link(of([2000, 10], 300.0), 0.5), ("transferred", F, "not-as-carried")
    ),
    "twice what its link carried, before it was compressed": row(
        lambda: with_header(
            over_a_link(of([2000, 10], 300.0), 2.0),
            **{"capabilities": ["multifd"], "migrate-parameters": {"multifd-compression": "zlib"}},
        ),
        ("transferred", N, "before-compression"),
    ),
    "half of what its link carried, beside others": row(
        lambda: with_header(over_a_link(of([2000, 10], 300.0), 0.5), qemu_arguments=["-nic", "user"]),
        ("transferred", N, "not-alone"),
    ),
    "what its link carried, of packets with little in them": row(
        lambda: over_a_link(of([2000, 10], 300.0), 1.0, 0, 300), ("transferred", N, "wide")
    ),
    "a link on which the end was not seen": row(lambda: over_a_link(of([2000])), ("transferred", N, "not-seen")),
    "vCPUs that waited for so long": row(
        lambda: beside(RESUME, READY, *looks(0.25), told(1500)), ("postcopy-blocktime", P, "as-waited")
    ),
    "vCPUs that did not wait for so long": row(
        lambda: beside(RESUME, READY, *looks(0.25), told(1900)), ("postcopy-blocktime", F, "more-than-waited")
    ),
    "a vCPU that waited for longer": row(
        lambda: beside(RESUME, READY, *looks(0.25, stuck_s=(100.5, 101.5)), told(500)),
        ("postcopy-blocktime", F, "less-than-waited"),
    ),
    "a vCPU that waited while the channel was broken": row(
        lambda: beside(
            RESUME, READY, *looks(0.25, stuck_s=(100.5, 101.5)), told(500), Event(9, "harness", "BROKEN", {})
        ),
        ("postcopy-blocktime", N, "without-the-break"),
    ),
    "vCPUs that did not run": row(lambda: beside(READY, *looks(0.0), told(0)), ("postcopy-blocktime", N, "held")),
    "waits of which nothing is said": row(
        lambda: beside(RESUME, READY, *looks(0.25), SAYS_NOTHING), ("postcopy-blocktime", N, "not-told")
    ),
    "vCPUs at which nobody looked": row(lambda: beside(RESUME, READY, told(9)), ("postcopy-blocktime", N, "not-seen")),
    "devices that have much to send": row(
        lambda: of([2000], device_bytes=3_000_000), ("report", P, "accurate"), ("pending", P, "adds-up")
    ),
    "more pending than was left": row(
        lambda: of([2000], device_bytes=0, fault=Pending(1.5)), ("pending", F, "not-what-is-left")
    ),
    "a cap that is kept": row(lambda: capped(BYTES_PER_MS), ("max-bandwidth", P, "kept")),
    "a cap that is not": row(lambda: capped(BYTES_PER_MS / 2), ("max-bandwidth", F, "not-kept")),
    "a cap that may have been changed": row(lambda: of([2000]), ("max-bandwidth", N, "not-tracked")),
    "no cap": row(lambda: capped(0), ("max-bandwidth", N, "not-seen")),
    "a switchover at a sync": row(lambda: of([2000, 10], 300.0), ("switchover", P, "after-a-sync")),
    "a switchover without one": row(
        lambda: of([2000, 10], 300.0, syncs_at_switchover=0), ("switchover", F, "without-a-sync")
    ),
    "a switchover at once": row(at_once, ("switchover", N, "before-a-window")),
    "a switchover that was not seen": row(
        lambda: unseen(),
        ("switchover", N, "not-seen"),
    ),
    "a stop": row(stopped, ("mid-pass-stop", P, "timed")),
    "a stop that was not": row(lambda: stopped(order=False), ("mid-pass-stop", U, "not-stopped")),
    "a stop without stamps": row(lambda: stopped(stamps=(None, 1.0)), ("mid-pass-stop", U, "no-time-stamps")),
    "a stop at what was not seen": row(missing_before_the_stop, ("mid-pass-stop", U, "too-little-seen")),
    "a stop without bandwidth": row(without_bandwidth, ("mid-pass-stop", U, "no-bandwidth")),
}
