# SPDX-License-Identifier: GPL-2.0-or-later
"""A limit is set beside what is left, in the rest before the look at which that is nearest to the usual one.

A window sends 100 pages, at 40960 bytes a millisecond one each.
"""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from avocado_migdowntime.experiments.aimed_limit import AimedLimit
from avocado_migdowntime.trace.events import AIMED, DISTURBS, HARNESS, Event

from ..support.samples import PAGE, sample

MBPS = PAGE / 125


def set_limits(rows, limit_ms=300, page_size=4096, capabilities=(), migrate_parameters=()):
    """Each limit that was set after a sample, with the time of that in ms."""
    found = []

    async def execute(command, arguments):
        assert command == "migrate-set-parameters"
        found.append((round(now.t_s * 1000), arguments["downtime-limit"]))

    def note(name, data):
        assert (name, data) == (AIMED, {"downtime-limit": found[-1][1], "since": now.t_s})

    migration = SimpleNamespace(
        parameters=SimpleNamespace(
            downtime_limit=limit_ms,
            page_size=page_size,
            capabilities=capabilities,
            migrate_parameters=migrate_parameters,
        ),
        pair=SimpleNamespace(source=SimpleNamespace(execute=execute)),
        sampler=SimpleNamespace(now_s=lambda: now.t_s, note=note),
    )
    aimed = AimedLimit(migration)
    for now in rows:
        asyncio.run(aimed(now))
    return found


def windows(*passes, mbps=MBPS, rests_ms=(1, 30, 70, 95), found=1000):
    """The samples of passes, each of the pages left after its bursts: (number, pages, ...)."""
    rows, begin_ms, sent = [], 0, 0
    for number, *left in passes:
        rows.append(sample(begin_ms / 1000, number, found, sent, mbps))
        for pages in left:
            sent += 100
            rows += [sample((begin_ms + ms) / 1000, number, pages, sent, mbps) for ms in rests_ms]
            begin_ms += 100
    return rows


def test_in_a_pass_it_is_set_below_what_is_left_and_above_it_in_another():
    passes = (1, 350, 250), (2, 460, 360, 260, 160), (3, 430, 330), (4, 480, 380, 280, 180)
    # In the first pass nobody looks; 260 × 0.98, 330 × 1.02, 280 × 0.98, rounded away; back as a pass begins.
    found = [(430, 254), (600, 300), (730, 337), (800, 300), (1030, 274)]
    assert set_limits(windows(*passes)) == found


def test_what_qemu_did_not_do_is_tried_once_more():
    """It synced where it was to go on, and then went on where it was to sync."""
    passes = (2, 460, 360, 260), (3, 430, 330, 230), (4, 380, 280, 180), (5, 430, 330), (6, 430, 330)
    found = [
        (230, 254),
        (300, 300),
        (430, 323),
        (600, 300),
        (730, 286),
        (900, 300),
        (1030, 337),
        (1100, 300),
        (1230, 323),
    ]
    assert set_limits(windows(*passes)) == found


@pytest.mark.parametrize(
    ("limit_ms", "windows_left", "aimed"),
    [
        (100, (350, 250, 150, 50), [(130, 255)]),
        (100, (351, 251, 151, 51), [(230, 155)]),
        (50, (360, 260, 160), [(230, 164)]),
        (299, (449, 349, 249), [(130, 356)]),
        (300, (449, 349, 249), [(130, 342)]),
    ],
)
def test_the_second_pass_ends_with_more_than_a_window_left(limit_ms, windows_left, aimed):
    assert set_limits(windows((2, *windows_left)), limit_ms) == aimed


@pytest.mark.parametrize(("zeros", "fourth"), [(0, (630, 137)), (1, (630, 143))])
def test_a_pass_that_ends_among_zero_pages_does_not_count(zeros, fourth):
    rows = windows((2, 350, 250), (3, 230, 130, 30), (4, 240, 140))
    rows[9:] = [replace(row, ram=replace(row.ram, zero_pages=zeros)) for row in rows[9:]]
    assert set_limits(rows, 100) == [(130, 255), (200, 100), (330, 127), (500, 100), fourth]


@pytest.mark.parametrize(("left", "aimed"), [(350, [(30, 343)]), (351, []), (250, [(30, 245)]), (249, [])])
def test_half_a_window_from_the_limit_is_near(left, aimed):
    assert set_limits(windows((2, left))) == aimed


@pytest.mark.parametrize(
    ("rests_ms", "aimed"),
    [((1, 19, 95), []), ((1, 20, 95), [(20, 294)]), ((1, 60, 95), [(60, 294)]), ((1, 61, 95), [])],
)
def test_it_is_set_when_qemu_rests_for_sure_and_will_not_look_at_once(rests_ms, aimed):
    assert set_limits(windows((2, 300), rests_ms=rests_ms)) == aimed


@pytest.mark.parametrize(
    "other",
    [
        {"capabilities": ("multifd",)},
        {"migrate_parameters": (("avail-switchover-bandwidth", "100M"),)},
        {"page_size": 8192},
        {"limit_ms": 49},
        {"limit_ms": 1000},
    ],
)
def test_it_is_left_alone_where_that_tells_nothing(other):
    assert set_limits(windows((2, 300, 50)), **other) == []


@pytest.mark.parametrize(("left", "aimed"), [(300, [(130, 294)]), (150, [])])
def test_the_bandwidth_is_the_greatest_of_the_pass_as_a_window_that_began_late_shows_less(left, aimed):
    late = [sample(0.1 + ms / 1000, 2, left, 200, MBPS / 2) for ms in (1, 30)]
    assert set_limits([*windows((2, 600)), *late]) == aimed


@pytest.mark.parametrize(("found", "aimed"), [(375, [(30, 294)]), (374, [])])
def test_a_sync_that_finds_hardly_more_may_soon_find_what_fits(found, aimed):
    assert set_limits(windows((2, 300), found=found)) == aimed


def test_answers_without_figures_are_nothing_to_go_by():
    ended = sample(0.03, 2, 300, 100, MBPS, status="completed")
    assert set_limits([*windows((2, 300), rests_ms=(1,)), ended]) == []


def test_what_comes_after_is_the_same_migration():
    event = Event(1.0, HARNESS, AIMED, {"downtime-limit": 254, "since": 0.9})
    assert (event.limit_ms, event.since_s, AIMED in DISTURBS) == (254, 0.9, False)


@pytest.mark.parametrize(("latency_ms", "aimed"), [(14.9, [(30, 294)]), (15.1, []), (80, [])])
def test_where_answers_take_long_a_limit_may_come_after_the_look(latency_ms, aimed):
    """It is asked for after 30 ms, answered after 45 at most, and set after 60."""
    *before, last = windows((2, 300), rests_ms=(1, 30))
    assert set_limits([*before, replace(last, latency_ms=latency_ms)]) == aimed
