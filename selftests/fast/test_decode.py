# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of a recording, decoded as a block by types and line by line: the same figures, and each fault by its line."""

import json
from dataclasses import replace

import numpy as np
import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.trace.decode import LinesDecoder, blocks_of_lines, decoded
from avocado_migdowntime.trace.events import Event
from avocado_migdowntime.trace.ram import RAN_OVER, TOO_FAST, Ram
from avocado_migdowntime.trace.sample import Sample

RAM = {
    "total": 1 << 30, "remaining": 40_960, "page-size": 4096, "normal": 70, "duplicate": 30, "dirty-sync-count": 2,
    "mbps": 1.5, "dirty-pages-rate": 7,
}  # fmt: skip
FIGURES = Ram(40_960, 4096, 100, 30, 2, 7, 1.5)


def sample(t=0.5, on=None, latency_ms=0.25, **answer):
    cause = {} if on is None else {"on": on}
    return {"t": t, "latency_ms": latency_ms, **cause, "query-migrate": {"status": "active", "ram": RAM, **answer}}


def kept(*figures, **more):
    """The sample that has these figures, and all of RAM where it has some of that."""
    one = Sample(*figures)
    return replace(one, total_bytes=None if one.ram is None else 1 << 30, **more)


def event(t, name="STOP", **more):
    return {"t": t, "event": {"event": name, "data": {"a": 1}}, **more}


def block(*records):
    """Whole lines; a text stands for itself."""
    return b"".join(r if isinstance(r, bytes) else json.dumps(r).encode() + b"\n" for r in records)


TYPED: tuple = ()
LINE_BY_LINE = (sample(9.0, **{"xbzrle-cache": {"pages": 5}}),)
"""What a block has to hold to be decoded so, behind all else."""
BOTH = pytest.mark.parametrize("last", [TYPED, LINE_BY_LINE], ids=["typed", "line by line"])


def decoder_of(*blocks, line_number=2):
    decoder = LinesDecoder(line_number)
    for one in blocks:
        decoder.add(one, False)
    return decoder


@BOTH
def test_each_field_of_a_sample_is_kept(last):
    rows = [
        sample(0.5, "MIGRATION_PASS", **{"expected-downtime": 300, "downtime": 12}),
        sample(0.5, latency_ms=4, disk={"remaining": 5, "total": 9}),
        {"t": 1, "latency_ms": 0, "query-migrate": {"status": "setup"}},
        {"t": 1.5, "latency_ms": 0, "query-migrate": {"xbzrle-cache": None}},
        sample(2, "STOP", ram={**RAM, "remaining": 8192.0, "dirty-sync-count": 3}),
        sample(2, None, ram={**RAM, "page-size": 1, "normal": 0, "duplicate": 0, "remaining": 0}),
        {**sample(3), "on": None},
        sample(3, **{"cpu-throttle-percentage": 20}),
    ]
    samples = decoder_of(block(*rows, *last)).samples()
    assert list(samples)[: len(rows)] == [
        kept(0.5, 0.25, "active", 300, FIGURES, "MIGRATION_PASS", 12),
        kept(0.5, 4, "active", None, FIGURES, disk_bytes=5),
        kept(1, 0, "setup"),
        kept(1.5, 0, "none"),
        kept(2, 0.25, "active", None, Ram(8192, 4096, 100, 30, 3, 7, 1.5), "STOP"),
        kept(2, 0.25, "active", None, Ram(0, 1, 0, 0, 2, 7, 1.5)),
        kept(3, 0.25, "active", None, FIGURES),
        kept(3, 0.25, "active", None, FIGURES, throttle_percent=20),
    ]
    assert len(samples) == len(rows) + len(last)


def test_lines_as_this_package_writes_them_are_decoded_as_a_block(monkeypatch):
    """Which is what makes it quick; so are samples without RAM figures or of one moment, events, and blank lines."""

    def one_by_one(*_):
        pytest.fail("the lines were decoded one by one")

    monkeypatch.setattr(LinesDecoder, "_line_by_line", one_by_one)
    stamped = {"event": "MIGRATION_PASS", "data": {"pass": 2}, "timestamp": {"seconds": 5, "microseconds": 500_000}}
    records = [
        sample(0.5, "MIGRATION_PASS", **{"expected-downtime": 300}),
        {"t": 1, "side": "source", "event": stamped},
        b"\n",
        {"t": 1, "latency_ms": 0, "query-migrate": {"status": "setup"}},
        {"t": 1, "latency_ms": 0, "query-migrate": {"status": "completed", "downtime": 12, "ram": RAM}},
        sample(1.5, ram={**RAM, "mbps": 5_000_000}),
    ]
    decoder = decoder_of(block(*records), block(event(2, "STOP", side="source"), sample(2)))
    samples = decoder.samples()
    assert samples.labels == ("active", "setup", "completed", "MIGRATION_PASS")
    assert list(samples) == [
        kept(0.5, 0.25, "active", 300, FIGURES, "MIGRATION_PASS"),
        kept(1, 0, "setup"),
        kept(1, 0, "completed", None, FIGURES, None, 12),
        kept(1.5, 0.25, "active", None, replace(FIGURES, mbps=5_000_000)),
        kept(2, 0.25, "active", None, FIGURES),
    ]
    assert decoder.events == [
        Event(1, "source", "MIGRATION_PASS", {"pass": 2}, 5.5),
        Event(2, "source", "STOP", {"a": 1}),
    ]


@BOTH
def test_counters_are_whole_and_the_bandwidth_is_not(last):
    fractions = {"remaining": 4097.9, "page-size": 4096.5, "normal": 7.0, "duplicate": 3.9, "dirty-pages-rate": 2.9}
    (one, *_) = decoder_of(block(sample(ram={**RAM, **fractions, "dirty-sync-count": 2.5}), *last)).samples()
    assert one.ram == Ram(4097, 4096, 10, 3, 2, 2, 1.5)


@BOTH
def test_events_are_kept_between_the_samples(last):
    records = [event(0, "A", side="source"), sample(1), event(1, "B"), event(1, "C", side="destination"), sample(2)]
    decoder = decoder_of(block(*records, *last))
    assert decoder.events == [
        Event(0, "source", "A", {"a": 1}),
        Event(1, "", "B", {"a": 1}),
        Event(1, "destination", "C", {"a": 1}),
    ]
    assert decoder.samples().t_s.tolist()[:2] == [1, 2]


@BOTH
def test_what_follows_in_another_block_is_put_behind(last):
    decoder = decoder_of(
        block(event(0, "A"), event(0, "B"), sample(1, "A")),
        block(event(1, "C")),
        block(event(2, "D"), sample(1, "B"), event(2, "E"), *last),
        block(sample(9, "C"), event(9, "F")),
    )
    assert [one.name for one in decoder.events] == list("ABCDEF")
    samples = decoder.samples()
    assert [one.on for one in samples if one.on] == list("ABC")
    assert decoder.line_number == 2 + 9 + len(last)


@BOTH
@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (
            [[sample(2), sample(1.25)]],
            "line 3: is out of order: a sample at 1.25 s after one at 2 s",
        ),
        (
            [[sample(2)], [event(1), sample(1.25)]],
            "line 4: is out of order: a sample at 1.25 s after one at 2 s",
        ),
        (
            [[event(2)], [sample(1), event(1.25)]],
            "line 4: is out of order: an event at 1.25 s after one at 2 s",
        ),
        (
            [[event(1), event(2), event(1.25)]],
            "line 4: is out of order: an event at 1.25 s after one at 2 s",
        ),
        ([[sample(), b"\n \n", {"t": 5}]], "line 5: is neither a sample nor an event"),
        ([[sample(), {"event": {"event": "A"}}]], "line 3: 't' is missing where a number from 0 up was expected"),
        ([[sample(), event(5), {**event(6), "event": 3}]], "line 4: 'event' is 3 where a QMP event was expected"),
        ([[{"t": 1, "event": {"event": 3}}]], "line 2: 'event' is {'event': 3} where a QMP event was expected"),
        (
            [[event(1, "A"), {"t": 1, "event": {"event": "A", "data": 5}}]],
            "line 3: 'event' is {'data': 5, 'event': 'A'} where a QMP event was expected",
        ),
        ([[sample(latency_ms=None)]], "line 2: 'latency_ms' is None where a number from 0 up was expected"),
        (
            [[{"t": 1, "query-migrate": {}}]],
            "line 2: 'latency_ms' is missing where a number from 0 up was expected",
        ),
        ([[sample(), {**sample(), "on": 5}]], "line 3: 'on' is 5 where an event's name was expected"),
        ([[sample(ram={**RAM, "page-size": 0})]], "line 2: 'page-size' is 0 where that of the target was expected"),
        ([[sample(ram={**RAM, "mbps": -0.5})]], "line 2: 'mbps' is -0.5 where a number from 0 up was expected"),
        ([[sample(-1)]], "line 2: 't' is -1 where a number from 0 up was expected"),
        (
            [[sample(), {**sample(), "query-migrate": [1]}]],
            "line 3: 'query-migrate' is [1] where an object was expected",
        ),
    ],
)  # fmt: skip
def test_a_wrong_line_is_refused_with_its_number(blocks, message, last):
    with pytest.raises(UsageError) as caught:
        decoder_of(*(block(*records) for records in blocks[:-1]), block(*blocks[-1], *last))
    assert str(caught.value) == message


@BOTH
@pytest.mark.parametrize("remaining", [2**64 - 4096, 2**63, RAM["total"] * 2, -4096])
def test_where_more_is_left_than_there_is_nothing_is_told_of_ram(last, remaining):
    decoder = decoder_of(block(sample(ram={**RAM, "remaining": remaining}), *last))
    (one, *_) = decoder.samples()
    assert (one.ram, one.status, [*decoder.notes]) == (None, "active", [RAN_OVER])
    assert not decoder_of(block(sample(ram={**RAM, "remaining": RAM["total"]}), *last)).notes


@BOTH
@pytest.mark.parametrize("mbps", [5_000_001, 1e7, 2**64])
def test_a_throughput_that_no_link_carries_tells_nothing_of_ram(last, mbps):
    decoder = decoder_of(block(sample(ram={**RAM, "mbps": mbps}), *last))
    (one, *_) = decoder.samples()
    assert (one.ram, one.status, [*decoder.notes]) == (None, "active", [TOO_FAST])


@BOTH
def test_figures_up_to_the_greatest_are_taken_and_no_greater_ones(last):
    for field, name, most in (("dirty-pages-rate", "dirty_pages_per_s", 2**64), ("mbps", "mbps", 5_000_000)):
        (one, *_) = decoder_of(block(sample(ram={**RAM, field: most}), *last)).samples()
        assert getattr(one.ram, name) == most
        with pytest.raises(UsageError, match=f"^line 2: '{field}' is 36893488147419103232 where"):
            decoder_of(block(sample(ram={**RAM, field: 2**65}), *last))


def test_a_line_that_is_cut_off_is_left_out_at_the_very_end_alone():
    whole, cut = block(sample(1)), b'{"t": 2, "latency_ms"'
    decoder = LinesDecoder(2)
    decoder.add(block(sample(0.5), b"\n", sample(1), cut, b"\n", b"  \n"), True)
    assert (decoder.cut_off, decoder.samples().t_s.tolist()) == (5, [0.5, 1])
    for data, is_last, line_number in (
        (whole + cut, False, 3),
        (whole + cut + b"\n" + whole, True, 3),
        (whole + cut + b"\n\n" + whole, True, 3),
    ):
        decoder = LinesDecoder(2)
        with pytest.raises(UsageError) as caught:
            decoder.add(data, is_last)
        expected = f"line {line_number} is not JSON; expected a recording"
        assert str(caught.value) == expected
        assert decoder.cut_off == 0


def test_bytes_that_are_no_text_are_a_fault_of_their_line_or_stand_in_a_name():
    with pytest.raises(UsageError, match="^line 3 is not JSON"):
        decoder_of(block(sample(), b"\xff\n"))
    (one,) = decoder_of(block(sample(on="NAME")).replace(b"NAME", b"N\xe4ME")).samples()
    assert one.on == "N\N{REPLACEMENT CHARACTER}ME"


def test_more_samples_than_there_was_room_for_are_kept():
    times = np.arange(40_000) / 1000
    line = json.dumps(sample()).replace('"t": 0.5', '"t": %s')
    decoder = LinesDecoder(2)
    for start in range(0, len(times), 4_000):
        decoder.add(b"".join((line % t + "\n").encode() for t in times[start : start + 4_000]), False)
    samples = decoder.samples()
    assert samples.t_s.tolist() == times.tolist()
    assert samples.sent_pages.tolist() == [100.0] * len(times)


@pytest.mark.parametrize(
    ("chunks", "blocks"),
    [
        ([], [(b"", True)]),
        ([b"a\nb"], [(b"a\n", False), (b"b", True)]),
        ([b"a\nb\n"], [(b"a\nb\n", True)]),
        ([b"a\nb", b"c", b"d\ne\n"], [(b"a\n", False), (b"bcd\ne\n", True)]),
        ([b"a\n", b"\n \n", b"b\n", b"\n", b" "], [(b"a\n\n \n", False), (b"b\n\n ", True)]),
        ([b"\n", b"a", b"b"], [(b"\nab", True)]),
        ([b"\n\n", b"a\n", b"c\nd", b"\n"], [(b"\n\na\n", False), (b"c\n", False), (b"d\n", True)]),
    ],
)
def test_blocks_are_of_whole_lines_and_blank_ones_end_none(chunks, blocks):
    assert list(blocks_of_lines(chunks)) == blocks


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1]", "line 7 is not a JSON object; expected a recording"),
        ("{", "line 7 is not JSON; expected a recording"),
        ('{"a": NaN}', "line 7 is not JSON; expected a recording"),
    ],
)
def test_a_line_that_is_no_object_is_refused(line, message):
    with pytest.raises(UsageError) as caught:
        decoded(line, 7)
    assert str(caught.value) == message
    assert decoded('{"a": 1}', 7) == {"a": 1}
    assert decoded("{", 7, may_be_cut=True) is None


@pytest.mark.parametrize("where", ["side", "event", "aside"])
@pytest.mark.parametrize("opening", ["[", '{"a": '])
def test_a_line_that_is_nested_without_end_is_refused(where, opening):
    line = json.dumps(event(1, side="source", aside=1)).replace(f'"{where}": ', f'"{where}": {opening * 100_000}')
    with pytest.raises(UsageError, match="line 3 is not JSON; expected a recording"):
        decoder_of(block(sample(), f"{line}\n".encode(), sample(2)))
