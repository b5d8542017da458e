# SPDX-License-Identifier: GPL-2.0-or-later
"""K where pages count as sent later than they leave what remains: with multifd, from QEMU 9.0 on."""

import pytest

from avocado_migdowntime.basics.qemu_constants import MULTIFD_PACKET_BYTES
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.oracle.evidence import Evidence
from avocado_migdowntime.oracle.limits import Limits
from avocado_migdowntime.oracle.passes import Pass
from avocado_migdowntime.oracle.syncs import syncs
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.samples import Samples
from avocado_migdowntime.verdict.judge import judge
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.recorded import altered, recording
from ..support.samples import PAGE, sample

QUEUED = 3 * MULTIFD_PACKET_BYTES
PACKET = MULTIFD_PACKET_BYTES // PAGE
MULTIFD = ("ppc64-tcg-qemu-10.0-multifd-zstd", "x86_64-tcg-qemu-11.1-multifd")


def counted_late(*pages, number=2, begin_s=0.0):
    """A pass by what is left and what has been sent at each of its samples."""
    rows = (
        sample(begin_s + 0.01 * row, number=number, remaining=left, sent=sent) for row, (left, sent) in enumerate(pages)
    )
    return Pass.of(Samples.of(rows), QUEUED)


def test_it_is_the_most_that_was_seen_and_may_be_all_more_that_can_wait():
    one = counted_late((900, 0), (600, 256), (300, 700), (100, 640))
    assert one.begin_bytes == one.end_bytes == 1000 * PAGE
    assert (one.late_bytes, one.spread_bytes) == (QUEUED, 0)


@pytest.mark.parametrize(
    ("pages", "late_bytes"),
    [
        ([(900, 0), (600, 400), (600, 400), (600, 400), (100, 640)], MULTIFD_PACKET_BYTES),
        ([(900, 100), (900, 100), (900, 100)], MULTIFD_PACKET_BYTES),
        ([(900, 0), (600, 400), (600, 400), (100, 640)], QUEUED),  # for 10 ms alone
        ([(900, 0), (600, 256), (600, 256), (600, 256), (300, 700)], QUEUED),  # while more was on its way
    ],
)
def test_where_it_rested_no_more_than_one_packet_waits(pages, late_bytes):
    one = counted_late(*pages)
    assert (one.end_bytes, one.late_bytes) == (1000 * PAGE, late_bytes)


def test_it_is_exact_where_all_was_flushed_and_seen_twice():
    pages = [(900, 0), (600, 256), (0, 896), (0, 1003), (0, 1003)]
    assert [counted_late(*pages[:count]).late_bytes for count in (4, 5)] == [QUEUED, 0]
    assert counted_late(*pages).end_bytes == 1003 * PAGE
    unsettled = counted_late((900, 103), (600, 256), (0, 896), (0, 896))
    assert unsettled.late_bytes == QUEUED


def test_what_the_sync_shows_of_a_flush_is_exact_as_well():
    begun = [(900, 0), (600, 256), (300, 640), (105, 896)]
    found = counted_late(*begun, (5000, 1004))
    assert (found.whole_count, found.end_bytes, found.late_bytes) == (4, 1004 * PAGE, 0)
    whole_packet = counted_late(*begun, (5000, 896 + PACKET))  # It may be a packet of the pass, and more be left.
    assert (whole_packet.end_bytes, whole_packet.late_bytes) == (1001 * PAGE, QUEUED)
    too_much = counted_late(*begun, (5000, 1001 + PACKET))
    assert too_much.late_bytes == QUEUED
    too_little = counted_late(*begun, (5000, 1000))
    assert too_little.late_bytes == QUEUED
    seen_to_the_end = counted_late(*begun, (0, 1024), (5000, 1024))
    assert (seen_to_the_end.end_bytes, seen_to_the_end.late_bytes) == (1024 * PAGE, 0)


def test_zero_pages_that_may_have_gone_for_themselves_show_no_flush():
    begun = [sample(0.01 * row, remaining=left, sent=sent) for row, (left, sent) in enumerate([(900, 0), (105, 896)])]
    for zeros, normal in ((0, 108), (108, 0), (8, 100), (100, 8)):
        found = sample(0.02, remaining=5000, sent=896 + zeros + normal, zeros=zeros)
        late_bytes = Pass.of(Samples.of([*begun, found]), QUEUED).late_bytes
        assert late_bytes == (0 if normal else QUEUED)


def test_the_sync_between_two_is_known_as_well_as_both_are():
    before = counted_late((1000, 0), (600, 256), (0, 1000), (0, 1000))
    open_after = counted_late((2000, 1000), (1500, 1400), (800, 2100), number=3, begin_s=1)
    [sync] = syncs([before, open_after], Limits())
    assert (sync.at_sync_bytes.low, sync.at_sync_bytes.high) == (2000 * PAGE, 2000 * PAGE + QUEUED)
    exact_after = counted_late((2000, 1000), (1500, 1400), (0, 3000), (0, 3000), number=3, begin_s=1)
    [sync] = syncs([before, exact_after], Limits())
    assert (sync.at_sync_bytes.low, sync.at_sync_bytes.high) == (2000 * PAGE, 2000 * PAGE)
    assert sync.likely_bytes == 2000 * PAGE


def test_as_much_as_is_queued_may_have_gone_out_unseen_before_the_sync():
    before = counted_late((9000, 0), (6000, 2900), (2000, 7000))
    after = counted_late((9000, 7128), (6000, 10000), (5000, 11000), number=3, begin_s=1)
    [sync] = syncs([before, after], Limits())
    assert (sync.unsent_bytes.low, sync.unsent_bytes.high) == ((2000 - 128 - 3 * PACKET) * PAGE, 2000 * PAGE)


def test_where_what_waited_was_flushed_nothing_was_left():
    before = counted_late((900, 0), (600, 256), (300, 640), (105, 896), (5000, 1004))
    after = counted_late((4990, 1132), (4000, 2028), number=3, begin_s=1)
    [sync] = syncs([before, after], Limits())
    assert (sync.unsent_bytes.low, sync.unsent_bytes.high) == (0, 0)
    assert sync.at_sync_bytes.low == (4990 + 1132 - 1004) * PAGE


@pytest.mark.parametrize(
    ("header", "packets"),
    [
        ({}, 0),
        ({"capabilities": ["multifd"]}, 3),
        ({"capabilities": ["multifd"], "migrate-parameters": {"multifd-channels": 16}}, 17),
        ({"capabilities": ["multifd"], "qemu": {"qemu": {"major": 7, "minor": 2, "micro": 22}}}, 0),
        ({"capabilities": ["xbzrle"], "qemu": {"qemu": {"major": 10, "minor": 0, "micro": 0}}}, 0),
        ({"capabilities": ["multifd"], "qemu": {"qemu": {"major": 10, "minor": 0, "micro": 0}}}, 3),
    ],
)
def test_with_multifd_a_packet_for_each_channel_and_one_more_may_wait(header, packets):
    assert Trace((), header=header).queued_bytes == packets * MULTIFD_PACKET_BYTES


@pytest.mark.parametrize("name", MULTIFD)
def test_a_correct_qemu_is_accurate_with_multifd(name):
    trace = read(str(recording(name)))
    verdict = judge(trace)
    assert (verdict.verdict, verdict.formula) == (Judgement.ACCURATE, "last-sync"), verdict
    assert verdict.relative_error_interval.low <= 0.0005 and verdict.relative_error_interval.high >= -0.0005
    assert any(not one.late_bytes for one in Evidence.of(trace).passes)


@pytest.mark.parametrize("name", MULTIFD)
@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_a_bias_is_found_with_multifd(name, factor):
    def bias(answer):
        answer["expected-downtime"] = round(answer["expected-downtime"] * factor)

    verdict = judge(altered(name, bias))
    assert verdict.verdict is Judgement.INACCURATE
    error = verdict.relative_error_interval
    assert error.low <= factor - 1 <= error.high < 0 if factor < 1 else 0 < error.low <= factor - 1 <= error.high
