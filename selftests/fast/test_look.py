# SPDX-License-Identifier: GPL-2.0-or-later
"""What one look may be, figure by figure: 1000 bytes go out in a millisecond."""

from dataclasses import replace
from math import inf

import pytest

from avocado_migdowntime.basics.interval import Interval
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.last_look import last_look
from avocado_migdowntime.oracle.look import FAR_BELOW, NEAR, Look
from avocado_migdowntime.oracle.standing import standing
from avocado_migdowntime.trace.events import AIMED, HARNESS, Event
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.reading import Reading
from avocado_migdowntime.trace.sample import Sample
from selftests.support.samples import TEN_SECONDS_LEFT, sample
from selftests.support.traces import Pass, made, precopy


def just(figure):
    return Interval(figure, figure)


def look(reported, left=(600, 610), dirtied=(500, 510), **more):
    """Reported, left and dirtied in a second, all in milliseconds."""
    return Look(
        "active",
        reported and Interval(*reported),
        left and Interval(*left).scaled(1000),
        dirty_bytes_per_ms=dirtied and Interval(*dirtied),
        **{"bytes_per_ms": just(1000.0), **more},
    )


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (look((1000, 1001)), {"last-sync": (1000, 1001), "redirty": (1000 / 1.51, 1001 / 1.5)}),
        (look((1000, 1001), dirtied=None), {"last-sync": (1000, 1001)}),
        (look((605, 606)), {"last-sync": (605, 606), "live": None}),
        (look((590, 605)), {"last-sync": (600, 605), "live": None}),
        (look((509, 511)), {"last-sync": (511, 511), "dirty-rate": None}),
        (look((449, 450), dirtied=None), {"last-sync": (450, 450)}),
        (look((448, 449), dirtied=None), {}),
        (look((509, 600 * (1 - NEAR)), (700, 700), (0, 0)), {}),
        (look((509, 700 * (1 - NEAR)), (700, 700), (0, 0)), {"last-sync": (595, 595), "redirty": (509, 595)}),
        (look(None), {}),
        (look((1000, 1001), left=None), {}),
        (look((1000, 1001), bytes_per_ms=just(0.0)), {}),
        (look((1000, 1001), bytes_per_ms=None), {}),
        (
            look((1000, 1001), dirtied=None, bytes_per_ms=just(0.0), switchover_bytes_per_ms=1000.0),
            {"last-sync": (1000, 1001)},
        ),
    ],
)
def test_the_formulas_that_may_have_given_a_report_and_what_was_left_at_the_sync_by_them(one, found):
    """Within a quarter for what is left."""
    assert one.explanations(0.25) == {name: pair and Interval(*pair) for name, pair in found.items()}


OF_MS = {"dirty-rate": lambda ms: look((1000, 1001), dirtied=(ms, ms)), "live": lambda ms: look((1000, 1001), (ms, ms))}


@pytest.mark.parametrize("formula", OF_MS)
@pytest.mark.parametrize(
    ("ms", "fits"), [(1000 - 1e-7, True), (1000 - 1e-5, False), (1001 + 1e-7, True), (1001 + 1e-5, False)]
)
def test_what_floating_point_may_have_rounded_may_be_the_same(formula, ms, fits):
    assert (formula in OF_MS[formula](ms).explanations(0.25)) is fits


@pytest.mark.parametrize(
    ("most_bytes", "was_below"), [(1_001_000, False), (1_001_001, True), (500_000, False), (None, False)]
)
def test_a_report_below_what_was_left_before_in_the_pass_is_of_another(most_bytes, was_below):
    assert look((1000, 1001), most_left_bytes=most_bytes).was_below is was_below
    assert not look(None, most_left_bytes=most_bytes).was_below
    assert not look((1000, 1001), bytes_per_ms=None, most_left_bytes=most_bytes).was_below


THIRD = {"left": (600, 600), "dirtied": (500, 500), "syncs": 3, "sent_bytes": 6_400_000, "mean_bytes_per_ms": 2000.0}
"""After 3.2 s, of which the second pass took 1.2 s."""


@pytest.mark.parametrize(
    ("more", "gave"),
    [
        ({}, ((600, 600), (1920, 1920))),
        ({"syncs": 0}, ((600, 600), (1920, 1920))),
        ({"left": (500, 600)}, ((1000 / 2.2, 600), (1000 + 1000 / 2.2, 1920))),
        ({"dirtied": (500, 600)}, ((1000 / 2.2, 600), (1000 + 1000 / 2.2, 1920))),
        ({"left": (600, 1600)}, ((600, inf), (1920, inf))),
        ({"most_left_bytes": 800_000}, ((600, 600), (1920, 1920))),
    ],
)
def test_what_other_formulas_gave_in_the_second_pass(more, gave):
    names = ("dirty-rate", "redirty")
    expected = [(low * (1 - NEAR), high * (1 + NEAR)) for low, high in gave]
    given = look((1000, 1001), **THIRD | more).of_second_pass
    assert tuple(given) == names
    assert [(ms.low, ms.high) for ms in given.values()] == [pytest.approx(pair) for pair in expected]


@pytest.mark.parametrize(
    "more",
    [
        {"syncs": 2},
        {"syncs": 4},
        {"sent_bytes": None},
        {"mean_bytes_per_ms": None},
        {"left": None},
        {"dirtied": None},
        {"dirtied": (0, 500)},
        {"bytes_per_ms": just(0.0)},
        {"left": (1600, 1700)},
        {"most_left_bytes": 800_001},
    ],
)
def test_no_report_is_of_the_second_pass_where_that_is_not_the_one_before_or_it_was_renewed(more):
    assert look((1000, 1001), **THIRD | more).of_second_pass == {}


@pytest.mark.parametrize(
    ("one", "sharp"),
    [
        (look((100, 101), (1000, 1000), (100, 101)), True),
        (look((100, 101), (1000, 1000), (100, 101.1)), False),
        (look((100, 101.1), (1000, 1000), (100, 101)), False),
        (look((799, 1000 * FAR_BELOW), (1000, 1000), (100, 101)), False),
        (look((0, 1), (1000, 1000), (0, 0)), False),
        (look(None, (1000, 1000), (100, 101)), False),
        (look((100, 101), None, (100, 101)), False),
        (look((100, 101), (1000, 1000), None), False),
    ],
)
def test_a_dirty_rate_is_met_by_chance_unless_all_is_narrow_and_far_below_what_is_left(one, sharp):
    assert one.sharp is sharp


def test_both_sides_of_what_a_look_tells():
    one = Look("active", bytes_per_ms=just(1250.0))
    of = {1000.0: True, 999.9: False, 1000 / 0.6: True, 1700.0: False, 0.0: False, None: False}
    assert {mean: replace(one, mean_bytes_per_ms=mean).usual for mean in of} == of
    assert not Look("active", mean_bytes_per_ms=1000.0).usual
    sent = {100.0: True, 100.1: False}
    assert {rate: Look("active", bytes_per_ms=just(rate)).hardly_sent for rate in sent} == sent
    assert not Look("active").hardly_sent
    assert [Look("active", bytes_per_ms=just(rate)).divisor for rate in (0.0, 0.5)] == [None, just(0.5)]


@pytest.mark.parametrize(("conserved", "first"), [(1000.0, None), (1010.0, None), (1011.0, False), (None, None)])
def test_more_than_all_of_ram_is_sent_after_the_first_pass_alone(conserved, first):
    assert Look("active", conserved_bytes=conserved, total_bytes=1000.0).in_first_pass is first
    assert Look("active", conserved_bytes=conserved).in_first_pass is None


@pytest.mark.parametrize(
    ("reported", "syncs", "limit_ms", "uncomputed"),
    [
        (0, 2, None, True),
        (1, 2, None, False),
        (300, 2, None, True),
        (300, 3, None, False),
        (300, 2, 317.0, False),
        (317, 2, 317.0, True),
    ],
)
def test_until_the_second_pass_a_report_of_what_qemu_begins_with_may_be_that(reported, syncs, limit_ms, uncomputed):
    assert look((reported, reported + 1), syncs=syncs, limit_ms=limit_ms).uncomputed is uncomputed


@pytest.mark.parametrize(
    ("more", "code", "figure"),
    [
        ({"syncs": 3}, None, ""),
        ({"ran_over": True, "total_bytes": 4e9}, "overrun", "left of 4e+09 bytes of RAM:"),
        ({"ran_over": True}, "overrun", "left of its RAM, more than a guest has:"),
        ({"disk_bytes": 1e9}, "disk", "while 1 GB of it are left; sending the RAM left takes 605 ms"),
        ({"disk_bytes": 0.99e9}, "disk", "while 990.0 MB of it are left; sending the RAM left takes 605 ms"),
        ({"disk_bytes": 5e9, "bytes_per_ms": None}, "disk", "while 5 GB of it are left"),
        ({"syncs": 3, "bytes_per_ms": None}, "nothing-shown", "how long the 0.6 MB left now take"),
        ({"syncs": 3, "bytes_per_ms": just(0.0)}, "no-bandwidth", "the throughput is 0"),
        ({}, "first-pass", "no count of dirty syncs"),
        ({"syncs": 1}, "first-pass", "this is the first pass"),
    ],
)
def test_why_nothing_follows_from_a_look(more, code, figure):
    found = standing(look((1000, 1001), **more))
    assert (found and found.code) == code
    assert figure in (found.sentence if found else "")


def last(answer=(), rounding=(), header=None, events=(), t_s=0.0, **more):
    """The look that is made of one sample, which a text shows so."""
    one = Sample(t_s, 0, "active", 300.0, ram=TEN_SECONDS_LEFT)
    reading = Reading(dict(answer), rounding=dict(rounding))
    trace = Trace((one,), tuple(events), header or {}, snapshot=True, readings=(reading,), **more)
    return last_look(Evidence.of(trace))


@pytest.mark.parametrize(
    ("times", "mean"),
    [
        ({"total-time": 100, "setup-time": 10}, 1000.0),
        ({"total-time": 100}, 900.0),
        ({"total-time": 100, "setup-time": "10"}, 900.0),
        ({"total-time": 11, "setup-time": 10}, 90_000.0),
        ({"total-time": 10, "setup-time": 10}, None),
        ({"total-time": 10, "setup-time": 11}, None),
        ({"total-time": "100"}, None),
        ({}, None),
    ],
)
def test_the_bandwidth_of_the_whole_migration_is_what_was_sent_by_the_time_since_the_setup(times, mean):
    assert last({"ram": {"transferred": 90_000}, **times}).mean_bytes_per_ms == mean
    assert last({"ram": {}, **times}).mean_bytes_per_ms is None
    assert last(times).mean_bytes_per_ms is None


def test_what_is_left_by_the_figures_that_are_shown():
    ram = {"remaining": 90_000, "mbps": 8}
    set_so = {"migrate-parameters": {"avail-switchover-bandwidth": 2_000_000}}
    assert (last({"ram": ram}).left_shown_ms, last({"ram": ram}, header=set_so).left_shown_ms) == (90, 45)
    for name, value in (("remaining", "90000"), ("mbps", "8"), ("mbps", 0)):
        assert last({"ram": ram | {name: value}}).left_shown_ms is None


def test_a_figure_may_be_what_its_rounding_leaves_open():
    one = TEN_SECONDS_LEFT
    by_name = {
        "ram.remaining": Interval(one.remaining_bytes, one.remaining_bytes + 10),
        "expected-downtime": Interval(299.5, 300.5),
        "ram.dirty-pages-rate": Interval(6000, 6200),
        "ram.mbps": Interval(999, 1001),
    }
    found = last({"status": "active"}, by_name)
    assert (found.remaining_bytes, found.reported_ms) == (by_name["ram.remaining"], Interval(299.5, 301.5))
    assert found.bytes_per_ms == Interval(999 * 125, 1001 * 125)
    assert found.dirty_bytes_per_ms == Interval(6000 * 4.096, 6200 * 4.096)
    lacking = last({"status": "active"}, by_name, lacks=tuple(by_name))
    assert (lacking.remaining_bytes, lacking.bytes_per_ms, lacking.dirty_bytes_per_ms) == (None, None, None)


def test_the_most_that_was_left_is_of_the_same_pass_and_known_where_syncs_are_shown():
    rows = precopy(Pass(30_000), Pass(20_000), Pass(10_000), Pass(5_000))
    third = next(n for n, row in enumerate(rows) if row["query-migrate"]["ram"]["dirty-sync-count"] == 4)
    trace = made(rows[: third - 1])
    most, left = last_look(Evidence.of(trace)).most_left_bytes, trace.samples[-1].ram.remaining_bytes
    assert most == max(s.ram.remaining_bytes for s in trace.samples if s.ram.dirty_sync_count == 3) > left
    rounded = replace(trace.samples[-1], open_bytes=7.0)
    assert last_look(Evidence.of(Trace((rounded,), header={}))).most_left_bytes == left - 7
    for name in ("ram.remaining", "ram.dirty-sync-count"):
        assert last_look(Evidence.of(replace(trace, lacks=(name,)))).most_left_bytes is None


def test_the_limit_of_a_look_is_the_one_that_held_then_but_for_that_of_a_text_without_a_time():
    changed = Event(1.0, HARNESS, AIMED, {"downtime-limit": 900})
    header = {"migrate-parameters": {"downtime-limit": 317}}
    assert last(header=header, events=[changed], t_s=2.0).limit_ms == 317
    assert last(header=header | {"recorded": "by virsh"}, events=[changed], t_s=2.0).limit_ms == 900
    plain = Trace((sample(0), sample(2)), (changed,), header)
    assert last_look(Evidence.of(plain)).limit_ms == 900
    # A text may show a limit, but not since when it held.
    assert Evidence.of(replace(plain, readings=(Reading({}), Reading({})))).limits.steps == ()
