# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers as rows and as columns: each figure in its place, in its unit, and refused where it is none."""

from dataclasses import replace

import numpy as np
import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.trace.events import Event, event_of
from avocado_migdowntime.trace.figures import Column, Labels, figures_of
from avocado_migdowntime.trace.ram import Ram, number, optional_number, ram_of
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.trace.samples import Samples, SamplesWriter

RAM = Ram(
    remaining_bytes=81_920,
    page_bytes=4096,
    sent_pages=70,
    zero_pages=30,
    dirty_sync_count=2,
    dirty_pages_per_s=500,
    mbps=8.0,
    counted_bytes=170_000,
    transferred_bytes=171_000,
)
FULL = Sample(
    1.5, 20.0, "active", 300.0, RAM, "MIGRATION_PASS", 12.0, 90_000.0, 262_144, 8192, 20.0, 512, 0.25, 3.0, 7.0
)
BARE = Sample(2.5, 4.0, "completed")
ANSWER = {
    "remaining": 81_920,
    "page-size": 4096,
    "normal": 40,
    "duplicate": 30,
    "dirty-sync-count": 2,
    "dirty-pages-rate": 500,
    "mbps": 8.0,
    "precopy-bytes": 170_000,
    "transferred": 171_000,
}


def test_a_sample_is_a_row_of_its_columns():
    samples = Samples.of([FULL, BARE])
    assert (samples[0], samples[1], samples[-1], list(samples)) == (FULL, BARE, BARE, [FULL, BARE])
    seen = [1.5, 20, 0, 1, 300, 12, 90_000, 262_144, 8192, 7, 20, 512, 0.25, 3]
    counters = [81_920, 4096, 70, 30, 2, 500, 8, 170_000, 171_000]
    assert samples.table[:, 0].tolist() == [*seen, *counters]
    assert figures_of(FULL, Labels()) == samples.table[:, 0].tolist()
    known = [False] * 3 + [True] * 8 + [False] * 3 + [True] * 9
    assert [figure != figure for figure in figures_of(BARE, Labels())] == known
    assert samples.table[Column.OPEN_BYTES : Column.REMAINING, 1].tolist() == [0, 0, 0]
    assert samples.table[Column.STATUS, 1] == 2
    assert samples.labels == ("active", "MIGRATION_PASS", "completed")
    assert (samples.ram(0), samples.ram(1)) == (RAM, None)


def test_each_column_has_its_name():
    samples = Samples.of([FULL, BARE])
    assert samples.t_s.tolist() == [1.5, 2.5]
    assert samples.answered_s == pytest.approx([1.52, 2.504], abs=1e-9)
    assert samples.has_ram.tolist() == [True, False]
    columns = {
        "expected_downtime_ms": 300,
        "pending_bytes": 90_000,
        "vfio_bytes": 7,
        "throttle_percent": 20,
        "remaining_bytes": 81_920,
        "page_bytes": 4096,
        "sent_pages": 70,
        "zero_pages": 30,
        "dirty_sync_count": 2,
        "dirty_pages_per_s": 500,
        "mbps": 8,
        "counted_bytes": 170_000,
        "transferred_bytes": 171_000,
        "conserved_bytes": 81_920 + 70 * 4096,
        "wire_bytes_per_ms": 1000,
        "dirty_bytes_per_ms": 2048,
    }
    for name, figure in columns.items():
        first, second = getattr(samples, name).tolist()
        assert first == figure and second != second
        assert getattr(RAM if hasattr(RAM, name) else FULL, name) == figure
    assert FULL.answered_s == pytest.approx(1.52, abs=1e-9)


def test_statuses_are_those_that_occur_and_no_names_of_events():
    samples = Samples.of([FULL, BARE, FULL])
    assert (samples.statuses, samples[:1].statuses) == (["active", "completed"], ["active"])
    assert samples.are("active").tolist() == [True, False, True]
    assert samples.are("completed", "active").tolist() == [True, True, True]
    assert samples.are("failed", "MIGRATION_PASS").tolist() == [False, False, False]


def test_a_part_is_taken_as_a_view_where_its_samples_lie_side_by_side():
    samples = Samples.of([Sample(t, 0, "active") for t in range(6)])
    for indices, shared in (([2, 3, 4], True), ([5], True), ([0, 2], False), ([0, 1, 3], False), ([], False)):
        taken = samples.take(np.array(indices, dtype=np.intp))
        assert taken.t_s.tolist() == indices
        assert np.shares_memory(taken.table, samples.table) is shared
    assert samples[1:3].t_s.tolist() == [1, 2] and samples[1:3].labels == samples.labels
    arranged = samples.arranged(np.array([[3, 0], [1, 1]]))
    assert (arranged.t_s.tolist(), arranged.labels) == ([[3, 0], [1, 1]], ("active",))
    assert len(Samples()) == 0 and list(Samples()) == []


def test_samples_are_the_same_where_each_is_whatever_numbers_stand_for_texts():
    assert Samples.of([FULL, BARE]) == Samples.of([FULL, BARE])
    assert Samples.of([BARE, FULL])[1:] == Samples.of([FULL])
    assert Samples.of([FULL, BARE]) != Samples.of([FULL]) and Samples.of([FULL]) != [FULL]


def test_those_so_far_do_not_change_by_what_is_added():
    writer = SamplesWriter()
    counted = []
    for count in range(200):
        counted.append(writer.samples())
        writer.append(Sample(count, 0, "active" if count % 2 else "setup"))
    assert [len(one) for one in counted] == list(range(200))
    assert writer.samples().t_s.tolist() == list(range(200))
    assert [one.status for one in counted[100]] == ["setup", "active"] * 50


def test_an_answer_is_read_field_by_field():
    answer = {"status": "active", "expected-downtime": 300, "downtime": 12, "remaining": 90_000}
    answer |= {"ram": {**ANSWER, "total": 262_144}, "disk": {"remaining": 8192}}
    answer |= {"vfio": {"transferred": 7}}
    answer |= {"cpu-throttle-percentage": 20}
    sample = Sample.from_query(1.5, 20.0, answer, "MIGRATION_PASS")
    assert sample == replace(FULL, open_bytes=0, open_mbps=0, open_pages_per_s=0)
    assert Sample.from_query(1, 2, {}) == Sample(1, 2, "none")
    before_7_0 = {name: value for name, value in ANSWER.items() if name != "precopy-bytes"}
    assert (ram_of(before_7_0, {}).counted_bytes, ram_of(before_7_0, {}).transferred_bytes) == (None, 171_000)
    assert ram_of({name: ANSWER[name] for name in ANSWER if name != "transferred"}, {}).transferred_bytes is None
    with pytest.raises(UsageError) as caught:
        Sample.from_query(0, 0, {"status": 5})
    assert str(caught.value) == "'status' is 5 where a text was expected"


XBZRLE, SINCE_5_1 = {"pages": 9, "overflow": 2}, {"pages": 9, "overflow": 2, "encoding-rate": 1.5}


@pytest.mark.parametrize(
    ("encoded", "pages"),
    [
        ({}, 0),
        ({"xbzrle-cache": XBZRLE}, 9),
        ({"xbzrle-cache": SINCE_5_1}, 7),
        ({"compression": {"pages": 5}}, 5),
        ({"xbzrle-cache": SINCE_5_1, "compression": {"pages": 5}}, 12),
        ({"xbzrle-cache": None, "compression": {"pages": 5}}, 5),
    ],
)
def test_encoded_pages_count_among_those_sent(encoded, pages):
    expected = {name: getattr(RAM, name) for name in Ram.__slots__} | {"sent_pages": 70 + pages}
    assert ram_of(ANSWER, encoded) == Ram(**expected)


def test_counters_are_made_whole_and_the_bandwidth_stays_as_it_is():
    fractions = {name: value + 0.75 for name, value in ANSWER.items()}
    assert ram_of(fractions, {}) == Ram(81_920, 4096, 71, 30, 2, 500, 8.75, 170_000, 171_000)


@pytest.mark.parametrize(
    ("ram", "answer", "message"),
    [
        ([1], {}, "'ram' is [1] where an object was expected"),
        ({**ANSWER, "page-size": 0}, {}, "'page-size' is 0 where that of the target was expected"),
        (ANSWER, {"compression": 3}, "'compression' is 3 where an object was expected"),
        (ANSWER, {"xbzrle-cache": [3]}, "'xbzrle-cache' is [3] where an object was expected"),
        *(
            (
                {n: v for n, v in ANSWER.items() if n != name},
                {},
                f"'{name}' is missing where a number from 0 up was expected",
            )
            for name in ANSWER
            if name not in ("precopy-bytes", "transferred")
        ),
    ],
)
def test_an_answer_that_lacks_a_figure_is_refused_by_the_name_of_that(ram, answer, message):
    with pytest.raises(UsageError) as caught:
        ram_of(ram, answer)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [0, 0.5, 2**64, 1e19])
def test_what_is_a_number_is_taken(value):
    assert number({"a": value}, "a") == optional_number({"a": value}, "a") == value
    assert optional_number({"a": value}, "b") is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        (True, "True"),
        ("1", "'1'"),
        (-1, "-1"),
        (float("nan"), "nan"),
    ],
)
def test_what_is_none_is_refused(value, shown):
    for get in (number, optional_number):
        with pytest.raises(UsageError) as caught:
            get({"a": value}, "a")
        assert str(caught.value) == f"'a' is {shown} where a number from 0 up was expected"


@pytest.mark.parametrize("value", [2**64 + 4096, float("inf")])
def test_what_is_beyond_any_counter_is_refused(value):
    assert number({"a": 2**64}, "a") == 2**64
    with pytest.raises(UsageError, match=f"^'a' is {value} where a number up to 1.8e[+]19 was expected$"):
        number({"a": value}, "a")


def test_an_event_is_read_with_its_data_and_its_stamp():
    message = {"event": "STOP", "data": {"a": 1}, "timestamp": {"seconds": 12, "microseconds": 500_000}}
    assert event_of(1.5, "source", message) == Event(1.5, "source", "STOP", {"a": 1}, 12.5)
    assert event_of(1, "", {"event": "STOP"}) == Event(1, "", "STOP", {})
    assert event_of(1, "", {"event": "STOP", "timestamp": 3}).stamp_s is None
    with pytest.raises(UsageError, match="^'microseconds' is missing where a number from 0 up was expected$"):
        event_of(1, "", {"event": "STOP", "timestamp": {"seconds": 1}})
    with pytest.raises(UsageError, match="^'seconds' is missing where a number from 0 up was expected$"):
        event_of(1, "", {"event": "STOP", "timestamp": {"microseconds": 1}})


@pytest.mark.parametrize("message", ["STOP", None, {}, {"event": 1}, {"data": [1], "event": "STOP"}])
def test_what_is_no_event_is_refused(message):
    with pytest.raises(UsageError) as caught:
        event_of(1, "", message)
    assert str(caught.value) == f"'event' is {message!r} where a QMP event was expected"


@pytest.mark.parametrize(
    ("side", "name", "data", "limit_ms"),
    [
        ("harness", "LIMIT", {"downtime-limit": 300}, 300),
        ("harness", "FINISH", {"downtime-limit": 300}, 300),
        ("harness", "LIMIT_CHANGED", {"downtime-limit": 300}, 300),
        ("harness", "BANDWIDTH", {"downtime-limit": 300}, None),
        ("source", "LIMIT", {"downtime-limit": 300}, None),
        ("harness", "FINISH", {}, None),
    ],
)
def test_a_limit_is_set_by_the_harness_or_noted_by_it(side, name, data, limit_ms):
    assert Event(2, side, name, data).limit_ms == limit_ms


def test_what_was_noted_late_may_have_been_so_before():
    assert (Event(2, "harness", "LIMIT", {}).since_s, Event(2, "harness", "LIMIT", {"since": 1.5}).since_s) == (2, 1.5)
