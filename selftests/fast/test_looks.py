# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the downtime-limit works, by the looks at the end of a pass: by what was left at each, and how it went on.

A window sends some 100 pages, at a page a millisecond; the limit is configured as 300 ms.
"""

from dataclasses import replace

import pytest

from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.trace.events import AIMED, HARNESS, Event
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.looks import works_as_ms

from ..support.samples import PAGE, sample

MBPS = PAGE / 125
HEADER = {"qemu": {}, "migrate-parameters": {"downtime-limit": 300}, "backing_page_size": 4096}
FOUND = 1000
BY_A_WINDOW = 220, 320
"""What is known where the looks are not seen."""


def pass_of(number, begin_ms, sent, left, mbps=MBPS, rests_ms=(5, 40, 90)):
    """The samples of the rests after each of its bursts, which left so much; `sent` pages were sent before it."""
    rows = []
    for window, pages in enumerate(left):
        sent += left[window - 1] - pages if window else 100
        rows += [sample((begin_ms + 100 * window + ms) / 1000, number, pages, sent, mbps) for ms in rests_ms]
    return rows


def rows_of(left=(560, 440, 330, 220), unsent=220, mbps=MBPS, rests_ms=(5, 40, 90)):
    """A pass that ends as it is told, and the begin of one after it whose sync finds 1000 pages more."""
    before = pass_of(2, 0, 0, left, mbps, rests_ms)
    sent = before[-1].ram.sent_pages + left[-1] - unsent
    begin_ms = 100 * len(left)
    after = [
        sample((begin_ms + ms) / 1000, 3, unsent + FOUND - pages, sent + pages, mbps)
        for ms, pages in [(1, 0), (5, 100 - (left[-1] - unsent)), (40, 100 - (left[-1] - unsent))]
    ]
    return before, after


def works_as(before, after, events=(), header=None):
    evidence = Evidence.of(Trace((*before, *after), tuple(events), HEADER | (header or {})))
    found = works_as_ms(evidence, evidence.syncs[-1])
    return found.low, found.high


def aimed(from_ms, to_ms, limit_ms):
    return Event(to_ms / 1000, HARNESS, AIMED, {"downtime-limit": limit_ms, "since": from_ms / 1000})


def ms(low, high):
    return pytest.approx((low, high))


def test_it_is_above_what_was_left_at_the_look_that_ended_the_pass_and_not_above_what_at_the_one_before():
    assert works_as(*rows_of()) == ms(220, 330)


def test_each_by_the_bandwidth_of_the_window_before_it():
    """Which is seen after it."""
    before, after = rows_of()
    before[-3:] = [replace(one, ram=replace(one.ram, mbps=0.8 * MBPS)) for one in before[-3:]]
    assert works_as(before, after) == ms(220, 330 / 0.8)
    after = [replace(one, ram=replace(one.ram, mbps=0.6 * MBPS)) for one in after]
    assert works_as(before, after) == ms(220 / 0.6, 330 / 0.8)
    set_so = {"downtime-limit": 300, "avail-switchover-bandwidth": 2000 * PAGE}
    assert works_as(before, after, header={"migrate-parameters": set_so}) == ms(110, 165)


def test_where_nothing_was_left_it_was_not_above_what_was_left_a_look_before():
    assert works_as(*rows_of(left=(350, 250, 150, 50), unsent=0)) == ms(0, 50)
    # Where all went out in whole windows nothing was left at the look itself.
    assert works_as(*rows_of(left=(330, 220, 110, 0), unsent=0)) == ms(0, 110)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([aimed(230, 240, 313)], (220 * 300 / 313, 330 * 300 / 313)),
        ([aimed(330, 340, 225)], (220 * 300 / 225, 330)),
        ([aimed(230, 240, 313), aimed(330, 340, 225)], (220 * 300 / 225, 330 * 300 / 313)),
        ([aimed(430, 440, 225)], (220, 330)),
    ],
)
def test_other_limits_count_in_proportion(events, found):
    assert works_as(*rows_of(), events) == ms(*found)


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "found"),
    [
        (380, 389, (220 * 300 / 225, 330)),
        (380, 391, BY_A_WINDOW),
        (400, 403, BY_A_WINDOW),
        (402, 403, (220, 330)),
        (280, 291, BY_A_WINDOW),
    ],
)
def test_a_limit_that_may_have_come_just_before_a_look_or_just_after_it_says_nothing(from_ms, to_ms, found):
    low, high = works_as(*rows_of(), [aimed(from_ms, to_ms, 225)])
    if found == BY_A_WINDOW:
        assert high - low == pytest.approx(100 * 300 / 225)
    else:
        assert (low, high) == ms(*found)


def test_where_no_limit_was_configured_or_none_is_known_to_have_held_it_is_as_it_worked():
    bare = {"migrate-parameters": {}}
    assert works_as(*rows_of(), header=bare) == ms(220, 330)
    assert works_as(*rows_of(), [aimed(230, 240, 313)], bare) == ms(220, 330)


def test_where_it_was_sending_when_it_was_last_seen_no_look_ended_the_pass():
    """What was left then is known, as no page was sent until the sync, but not where the next look was."""
    before, after = rows_of(unsent=210)
    last = before[-1].ram
    before.append(sample(0.395, 2, 210, last.sent_pages + 10, MBPS))
    assert works_as(before, after) == ms(210, 310)


def test_what_a_sync_found_before_it_has_its_number_prolongs_no_rest():
    before, after = rows_of()
    early = [replace(one, t_s=0.391 + 0.001 * n, ram=replace(after[0].ram, dirty_sync_count=2)) for n, one in
             enumerate(before[-2:])]  # fmt: skip
    assert works_as([*before, *early], after) == ms(220, 330)


def test_where_the_size_of_host_pages_is_not_known_they_are_taken_for_small_ones():
    assert works_as(*rows_of(), header={"backing_page_size": 0}) == ms(*BY_A_WINDOW)


@pytest.mark.parametrize("host_page", [64 << 10, 2 << 20])
def test_between_two_looks_there_may_be_64_hugepages(host_page):
    """So the end of a pass shows that the limit is above what was left, and hardly more."""
    low, high = BY_A_WINDOW
    assert works_as(*rows_of(), header={"backing_page_size": host_page}) == ms(low, high + 64 * host_page / PAGE)


@pytest.mark.parametrize(("until_ms", "found"), [(54, (220, 320)), (56, (220, 330))])
def test_a_rest_of_less_than_half_a_window_is_perhaps_none(until_ms, found):
    assert works_as(*rows_of(rests_ms=(5, 30, until_ms))) == ms(*found)


def test_two_passes_tell_it_from_both_sides():
    """340 of 347 ms ended one, and at 305 of 299 ms another went on."""
    first = pass_of(2, 0, 0, (640, 540, 440, 340))
    second = pass_of(3, 400, 400, [1305 - 100 * n for n in range(12)])
    second = [sample(0.4, 3, 1405, 400, MBPS), *second]
    third = [sample(1.6 + ms / 1000, 4, 1205 - sent, 1600 + sent, MBPS) for ms, sent in ((0, 0), (5, 100), (40, 100))]
    events = [aimed(330, 340, 347), aimed(401, 402, 300), aimed(1430, 1440, 299), aimed(1601, 1602, 300)]
    trace = Trace((*first, *second, *third), tuple(events), HEADER)
    interval = judge(trace).limit.effective_limit_interval_ms
    assert (interval.low, interval.high) == ms(340 * 300 / 347, 305 * 300 / 299)
