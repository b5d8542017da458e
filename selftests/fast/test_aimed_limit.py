# SPDX-License-Identifier: GPL-2.0-or-later
"""A limit is set beside what is left, in the rests before the two looks at which that is nearest to the usual one.

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


def test_it_is_set_below_what_is_left_and_a_window_later_above_it():
    passes = (1, 350, 250), (2, 460, 360, 260), (3, 430, 330), (4, 480, 380, 280, 180)
    # In the first pass nobody looks. 360 × 0.98 and 260 × 1.02, rounded away; back as a pass begins.
    second = [(330, 352), (430, 266), (500, 300)]
    third = [(530, 421), (630, 337), (700, 300)]
    assert set_limits(windows(*passes)) == [*second, *third, (830, 372), (930, 286)]


def test_what_qemu_did_not_do_is_tried_in_the_next_pass():
    """It synced where it was to go on, and then went on where it was to sync."""
    passes = (2, 460, 360), (3, 430, 330, 230, 130), (4, 380, 280)
    found = [(130, 352), (200, 300), (230, 421), (330, 337), (600, 300), (630, 372), (730, 286)]
    assert set_limits(windows(*passes)) == found


@pytest.mark.parametrize(
    ("limit_ms", "number", "left", "aimed"),
    [
        (50, 2, (351, 251, 151), [(130, 245), (230, 155)]),
        (100, 2, (350, 250, 150, 50), [(30, 343), (130, 255)]),
        (100, 3, (350, 250, 150, 50), [(130, 245), (230, 153)]),
        (220, 2, (371, 271, 171), [(130, 265), (230, 175)]),
    ],
)
def test_the_second_pass_ends_with_more_than_a_window_left(limit_ms, number, left, aimed):
    assert set_limits(windows((number, *left)), limit_ms) == aimed


@pytest.mark.parametrize(
    ("left", "aimed"),
    [(451, []), (450, [(30, 441)]), (351, [(30, 343)]), (350, [(30, 357)]), (250, [(30, 255)]), (249, [])],
)
def test_half_a_window_from_the_limit_is_near_and_up_to_a_window_more_is_before_it(left, aimed):
    assert set_limits(windows((2, left))) == aimed


@pytest.mark.parametrize(
    ("rests_ms", "aimed"),
    [((1, 19, 95), []), ((1, 20, 95), [(20, 306)]), ((1, 60, 95), [(60, 306)]), ((1, 61, 95), [])],
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


@pytest.mark.parametrize(("left", "aimed"), [(300, [(130, 306)]), (150, [])])
def test_the_bandwidth_is_the_greatest_of_the_pass_as_a_window_that_began_late_shows_less(left, aimed):
    late = [sample(0.1 + ms / 1000, 2, left, 200, MBPS / 2) for ms in (1, 30)]
    assert set_limits([*windows((2, 600)), *late]) == aimed


@pytest.mark.parametrize(("found", "aimed"), [(375, [(30, 306)]), (374, [])])
def test_a_sync_that_finds_hardly_more_may_soon_find_what_fits(found, aimed):
    assert set_limits(windows((2, 300), found=found)) == aimed


def test_answers_without_figures_are_nothing_to_go_by():
    ended = sample(0.03, 2, 300, 100, MBPS, status="completed")
    assert set_limits([*windows((2, 300), rests_ms=(1,)), ended]) == []


def test_what_comes_after_is_the_same_migration():
    event = Event(1.0, HARNESS, AIMED, {"downtime-limit": 254, "since": 0.9})
    assert (event.limit_ms, event.since_s, AIMED in DISTURBS) == (254, 0.9, False)


@pytest.mark.parametrize(("latency_ms", "aimed"), [(14.9, [(30, 306)]), (15.1, []), (80, [])])
def test_where_answers_take_long_a_limit_may_come_after_the_look(latency_ms, aimed):
    """It is asked for after 30 ms, answered after 45 at most, and set after 60."""
    *before, last = windows((2, 300), rests_ms=(1, 30))
    assert set_limits([*before, replace(last, latency_ms=latency_ms)]) == aimed
