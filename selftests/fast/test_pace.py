# SPDX-License-Identifier: GPL-2.0-or-later
"""When the next sample is due: 12 000 bytes per ms are 1.2 MB a window, and a steady sample comes each 20 ms."""

import pytest

from avocado_migdowntime.record.pace import Pace
from avocado_migdowntime.trace.ram import Ram
from avocado_migdowntime.trace.sample import Sample

BYTES_PER_MS = 12_000
PAGE_BYTES = 4000
LATENCY_MS = 0.5


def sample(t_ms, left_ms, sent_pages=0, status="active", mbps=BYTES_PER_MS / 125):
    """One that has so many ms of bandwidth left."""
    ram = Ram(int(left_ms * BYTES_PER_MS), PAGE_BYTES, sent_pages, 0, 2, 100, mbps)
    return Sample(t_ms / 1000, LATENCY_MS, status, 2000.0, ram)


def due_ms(*samples, limit_ms=300, switchover=None):
    """After the last of these samples, of which each was due when it came."""
    pace = Pace(0.02, limit_ms, switchover)
    return [round(pace.next_s(one) * 1000, 6) for one in samples][-1]


def resting(left_ms, until_ms, **more):
    """A burst between 0 and 20 ms, then nothing is sent."""
    moments = [0, 20, *range(40, until_ms, 20), until_ms]
    return [sample(t_ms, left_ms if t_ms else left_ms + 100, int(t_ms > 0), **more) for t_ms in moments]


def test_where_nothing_is_about_to_happen_the_samples_are_steady():
    assert due_ms(sample(0, 1000)) == 20
    assert due_ms(sample(0, 1000), sample(20, 1000), sample(40.25, 900, 300)) == 60
    # One that comes late is not made up for, and one that an event asked for does not count.
    assert due_ms(sample(0, 1000), sample(95, 900)) == 95
    assert due_ms(sample(0, 1000), sample(20, 1000), sample(27, 900, 300)) == 40


@pytest.mark.parametrize(("left_ms", "dense"), [(321, False), (319, True), (251, True), (249, False)])
def test_while_qemu_sends_a_pass_may_end_within_a_round_of_when_what_is_left_fits_the_limit(left_ms, dense):
    after = due_ms(sample(0, left_ms + 10, 0), sample(20, left_ms, 30))
    assert after == (20 + LATENCY_MS + 1 if dense else 40)


@pytest.mark.parametrize(("left_ms", "dense"), [(321, False), (319, True), (201, True), (199, False)])
def test_while_it_rests_within_a_window(left_ms, dense):
    assert due_ms(*resting(left_ms, 80)) == (90 if dense else 100)


@pytest.mark.parametrize(("left_ms", "dense"), [(21, False), (19, True), (0, True)])
def test_and_with_nothing_left(left_ms, dense):
    assert due_ms(sample(0, left_ms + 10, 0), sample(20, left_ms, 30)) == (21.5 if dense else 40)


@pytest.mark.parametrize(("left_ms", "dense"), [(121, False), (119, True), (0, True)])
def test_or_after_another_burst_with_nothing_left(left_ms, dense):
    assert due_ms(*resting(left_ms, 80)) == (90 if dense else 100)


def test_where_no_limit_is_known_it_is_that_alone():
    assert due_ms(sample(0, 260, 0), sample(20, 250, 30), limit_ms=None) == 40
    assert due_ms(*resting(60, 80), limit_ms=None) == 90


def test_a_limit_that_is_set_counts_from_then_on():
    pace = Pace(0.02, 300, None)
    pace.next_s(sample(0, 600, 0))
    assert pace.next_s(sample(20, 590, 30)) == 0.04
    pace.limit_ms = 600
    assert pace.next_s(sample(40, 580, 60)) == pytest.approx(0.0415)


def test_what_fits_is_by_avail_switchover_bandwidth_where_that_is_set():
    """At half of what it sends, 150 ms of that are as much as 300 ms."""
    assert due_ms(sample(0, 260, 0), sample(20, 250, 30), switchover=BYTES_PER_MS / 2) == 40
    assert due_ms(sample(0, 150, 0), sample(20, 140, 30), switchover=BYTES_PER_MS / 2) == 21.5


def test_in_a_rest_it_waits_until_the_next_window_may_begin_and_then_asks_without_a_break():
    assert due_ms(*resting(250, 60)) == 80
    assert due_ms(*resting(250, 80)) == 90
    assert due_ms(*resting(250, 90)) == 90 + LATENCY_MS
    # The burst that comes is followed as well, and what is late is waited for at leisure.
    assert due_ms(*resting(250, 101), sample(102, 290, 100)) == 102.5
    assert due_ms(*resting(250, 129)) == 129.5
    assert due_ms(*resting(250, 130)) == 131.5


def test_what_goes_out_faster_than_the_bandwidth_says_is_looked_at_sooner():
    """As zero pages do: 1100 ms of bandwidth went out in 20 ms, so that the 900 ms that are left may as well."""
    assert due_ms(sample(0, 2000, 0), sample(20, 900, 3300)) == 21.5
    assert due_ms(sample(0, 2000, 0), sample(20, 1500, 1500)) == 40


@pytest.mark.parametrize("status", ["setup", "device", "completed"])
def test_what_is_no_pass_does_not_end(status):
    assert due_ms(sample(0, 10, 0, status=status), sample(20, 5, 30, status=status)) == 40


def test_an_answer_without_figures_of_ram_is_nothing_to_go_by():
    pace = Pace(0.02, 300, None)
    assert pace.next_s(Sample(1.0, 0.5, "active")) == 1.0
    assert pace.next_s(Sample(1.0, 0.5, "active")) == pytest.approx(1.02)
