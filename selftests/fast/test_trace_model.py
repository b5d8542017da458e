# SPDX-License-Identifier: GPL-2.0-or-later
"""What a trace says of itself: its parameters, what was migrated, its last migration, when its guest was stopped."""

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.trace.begins import last_migration
from avocado_migdowntime.trace.events import Event, event_of
from avocado_migdowntime.trace.model import SEVERAL, Trace, checked_header, header_after, parted
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.trace.samples import Samples

from ..support import samples as made


def sample(t_s, status="active"):
    return Sample(t_s, 0.5, status)


def event(t_s, name, side="source", **data):
    return Event(t_s, side, name, data)


def limit(t_s, limit_ms):
    return event(t_s, "LIMIT", "harness", **{"downtime-limit": limit_ms})


def with_parameters(**parameters):
    return Trace((), header={"migrate-parameters": {name.replace("_", "-"): v for name, v in parameters.items()}})


def test_parameters_are_given_where_they_are_known():
    known = with_parameters(downtime_limit=317, avail_switchover_bandwidth=5_000_000)
    assert (known.downtime_limit_ms, known.switchover_bytes_per_ms) == (317, 5000)
    for unknown in (
        with_parameters(avail_switchover_bandwidth=0),
        Trace(()),
        Trace((), header={"migrate-parameters": 3}),
    ):
        assert (unknown.downtime_limit_ms, unknown.switchover_bytes_per_ms) == (None, None)
    assert Trace((), header={"migrate-parameters": 3}).migrate_parameters == {}
    assert Trace((), header={"capabilities": ["events", "xbzrle"]}).capabilities == ("events", "xbzrle")
    assert Trace(()).capabilities == () and Trace(()).host_page_bytes == 0


V8 = {"major": 8, "minor": 2, "micro": 50}


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ({}, ""),
        ({"qemu": {"qemu": {"major": 7, "minor": 2, "micro": 22}}}, "QEMU 7.2.22"),
        ({"qemu": {"qemu": {"major": 7}}}, "QEMU 7.?.?"),
        ({"qemu": {}}, ""),
        ({"qemu": {"qemu": V8, "package": "v8.2.0-533-g12ab-dirty"}}, "QEMU 8.2.50 (v8.2.0-533-g12ab-dirty)"),
        ({"qemu": {"qemu": V8, "package": "Debian 1:8.2"}}, "QEMU 8.2.50"),
        ({"qemu": {"qemu": V8, "package": "v8 PASS"}}, "QEMU 8.2.50"),
        ({"qemu": {"qemu": V8, "package": None}}, "QEMU 8.2.50"),
        (
            {"machine": "pseries", "accelerator": "tcg", "arch": "ppc64", "guest": "Linux 6.1", "backing": "memfd"},
            "ppc64 pseries tcg with Linux 6.1 on memfd pages",
        ),
        ({"arch": "ppc64", "guest": "dirtier"}, "ppc64"),
        ({"backing": "hugetlbfs", "backing_page_size": 2 << 20}, "on hugetlbfs pages of 2M"),
        ({"granule": 4096}, ""),
        ({"granule": 8192}, "in granules of 8K that the guest itself writes whole"),
    ],
)
def test_what_was_migrated_is_said_as_far_as_it_is_known(header, subject):
    assert Trace((), header=header).subject == subject


RUN = [sample(0, "setup"), sample(1), sample(2, "completed"), sample(3, "failed"), sample(4), sample(5, "cancelled")]


def test_the_last_migration_begins_behind_the_end_of_the_one_before():
    events = (limit(2.5, 300), limit(3.5, 500), event(3.9, "STOP"), event(4, "MIGRATION"), limit(4.5, 700))
    whole = Trace((*RUN, sample(6), sample(7)), events, {"arch": "ppc64"}, ("a note",))
    last = whole.last_migration()
    assert (last.samples.t_s.tolist(), last.samples.statuses) == ([6, 7], ["active"])
    assert (last.events, last.notes, last.snapshot) == ((), ("a note", SEVERAL), False)
    assert last.header == {"arch": "ppc64", "migrate-parameters": {"downtime-limit": 700}}
    earlier = Trace(RUN, events, {"arch": "ppc64"}).last_migration()
    assert earlier.samples.t_s.tolist() == [4, 5]
    assert [one.t_s for one in earlier.events] == [4, 4.5]
    assert earlier.downtime_limit_ms == 500


def test_where_counters_fell_another_migration_begins():
    samples = Samples.of([made.sample(t_s, 2, sent=sent) for t_s, sent in enumerate((100, 200, 10, 50))])
    kept, left_out = last_migration(samples, by_counters=True)
    assert (kept.tolist(), left_out.tolist()) == ([2, 3], [])
    assert last_migration(samples, by_counters=False)[0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("samples", [[], RUN[:3], RUN[:4], RUN[1:2]])
def test_a_trace_of_one_migration_is_its_last(samples):
    trace = Trace(samples, (limit(0, 300),))
    assert trace.last_migration() is trace


def test_events_at_the_moment_of_the_first_sample_belong_to_the_migration():
    events = [event(1, "A"), event(2, "B"), event(2.5, "C")]
    assert parted(events, 2) == (events[:1], events[1:])


def test_the_limit_that_was_set_last_before_is_the_configured_one():
    header = {"arch": "ppc64", "migrate-parameters": {"downtime-limit": 1, "max-bandwidth": 2}}
    assert header_after(header, [event(0, "STOP")]) is header
    assert header_after(header, [limit(0, 5), limit(1, 7), event(2, "STOP")]) == {
        "arch": "ppc64",
        "migrate-parameters": {"downtime-limit": 7, "max-bandwidth": 2},
    }


STOP, RESUME = event(1, "STOP"), event(2, "RESUME")


@pytest.mark.parametrize(
    ("events", "status", "stop_s"),
    [
        ((STOP,), "completed", 1),
        ((STOP, RESUME, event(3, "STOP")), "completed", 3),
        ((STOP, event(3, "STOP"), event(4, "MIGRATION")), "completed", 3),
        ((STOP, event(2, "RESUME", "destination")), "completed", 1),
        ((event(3, "STOP", "destination"),), "completed", None),
        ((STOP, RESUME), "completed", None),
        ((STOP,), "active", None),
        ((), "completed", None),
    ],
)
def test_the_switchover_is_the_last_stop_of_a_source_whose_migration_completed(events, status, stop_s):
    trace = Trace((sample(0), sample(5, status)), events)
    assert (trace.switchover_stop and trace.switchover_stop.t_s) == stop_s
    assert trace.switchover_s == (float("inf") if stop_s is None else stop_s)
    assert trace.completed is (status == "completed")


def test_an_event_is_found_by_its_side_its_name_and_what_it_holds():
    events = (
        event(1, "MIGRATION", status="setup"),
        event(2, "MIGRATION", "destination", status="completed"),
        event(3, "MIGRATION", status="completed", more="x"),
        event(4, "MIGRATION", status="completed"),
    )
    trace = Trace((), events)
    assert trace.first_event("source", "MIGRATION") is events[0]
    assert trace.first_event("source", "MIGRATION", status="completed") is events[2]
    assert trace.first_event("destination", "MIGRATION") is events[1]
    assert trace.first_event("source", "MIGRATION", status="failed") is None
    assert trace.first_event("source", "STOP") is None


def test_texts_of_a_trace_can_be_printed():
    header = {"arch": "ppc64\nverdict    ACCURATE", "more": ["\x1b[2J", {"\udcff": 1}]}
    trace = Trace((sample(0, status="act\x1bive"),), header=header)
    assert trace.subject == "ppc64\\nverdict    ACCURATE"
    assert trace.header["more"] == ["\\x1b[2J", {"\\udcff": 1}]
    assert [one.status for one in trace.samples] == trace.samples.statuses == ["act\\x1bive"]


def test_so_can_what_the_harness_quotes():
    lagging = event_of(0, "harness", {"event": "LAGGING", "data": {"said": "a\nb", "faults": ["\x9b"]}})
    assert lagging.data == {"said": "a\\nb", "faults": ["\\x9b"]}
    assert event_of(0, "\x1b", {"event": "\r"}) == Event(0, "\\x1b", "\\r", {})


def test_rows_are_made_into_columns():
    rows = (sample(0), sample(1))
    trace = Trace(rows)
    assert isinstance(trace.samples, Samples) and list(trace.samples) == list(rows)
    assert Trace(trace.samples).samples is trace.samples


RIGHT = {"qemu": {"qemu": {"major": 7}}, "migrate-parameters": {"downtime-limit": 1}}
NO_HEADER = "has no 'qemu' and 'migrate-parameters' objects; this is not the header of a recording"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"migrate-parameters": {}}, NO_HEADER),
        ({"qemu": {}}, NO_HEADER),
        ({**RIGHT, "qemu": 1}, NO_HEADER),
        ({**RIGHT, "migrate-parameters": 1}, NO_HEADER),
        (
            {**RIGHT, "migrate-parameters": {"downtime-limit": "1"}},
            "'downtime-limit' is '1' where a number from 0 up was expected",
        ),
        ({**RIGHT, "qemu": {"qemu": 7}}, "'qemu' is {'qemu': 7} where the answer to query-version was expected"),
        ({**RIGHT, "backing_page_size": "2M"}, "'backing_page_size' is '2M' where a number from 0 up was expected"),
        ({**RIGHT, "capabilities": "events"}, "'capabilities' is 'events' where a list of names was expected"),
        (
            {**RIGHT, "capabilities": ["events", 1]},
            "'capabilities' is ['events', 1] where a list of names was expected",
        ),
        *(
            (
                {**RIGHT, "qemu": {"qemu": {"major": 7, "minor": part}}},
                f"'minor' of QEMU's release is {shown} where a number up to 999 was expected",
            )
            for part, shown in (
                ("2", "'2'"),
                ([2], "[2]"),
                (None, "None"),
                (2.0, "2.0"),
                (True, "True"),
                (-1, "-1"),
                (1000, "1000"),
                (10**4000, "100000000000000000...0000000000000000000"),
            )
        ),
        ({**RIGHT, "arch": ["ppc64"]}, "'arch' is ['ppc64'] where a name was expected"),
        ({**RIGHT, "machine": {}}, "'machine' is {} where a name was expected"),
        ({**RIGHT, "migrate-parameters": {"mode": ["a"]}}, "'mode' is ['a'] where a name was expected"),
        ({**RIGHT, "guest": "x" * 201}, f"'guest' is '{'x' * 57}...{'x' * 58}' where a name was expected"),
    ],
)
def test_a_header_that_is_none_or_says_what_it_cannot_is_refused(header, message):
    with pytest.raises(UsageError) as caught:
        checked_header(header)
    assert str(caught.value) == message


def test_a_header_that_is_one_is_taken_as_it_is():
    for header in (RIGHT, {**RIGHT, "capabilities": ["events"], "backing_page_size": 4096}, {**RIGHT, "qemu": {}}):
        assert checked_header(header) is header
