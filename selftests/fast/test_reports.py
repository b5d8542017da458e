# SPDX-License-Identifier: GPL-2.0-or-later
"""Which reports of a pass count: of samples made by hand, all 20 ms, of a QEMU that sends 1000 bytes a millisecond."""

from dataclasses import replace

import pytest

from avocado_migdowntime.oracle.passes import Pass
from avocado_migdowntime.oracle.reports import ExcludedSamples, computes_nothing, usable_reports
from avocado_migdowntime.trace.ram import Ram
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.trace.samples import Samples

SETTLING = "before the first update after the sync"
TORN = "mbps changed since the previous sample: the figures may not belong together"


def usable(sent, mbps=8.0, later_mbps=8.0, later_from=99, spacing_s=0.02):
    """How many of 60 samples do not count because of either, where so many pages had been sent at each."""
    rows = [
        Sample(
            spacing_s * row, 0.0, "active", 2000.0,
            Ram(10**9, 4096, pages, 0, 2, 100, later_mbps if row >= later_from else mbps),
        )
        for row, pages in enumerate(sent)
    ]  # fmt: skip
    excluded = ExcludedSamples()
    reports = usable_reports(Pass.of(Samples.of(rows)), excluded)
    settling, torn = (excluded.counts.get(reason, 0) for reason in (SETTLING, TORN))
    assert len(reports) == len(rows) - settling - torn == len(rows) - sum(excluded.counts.values())
    return settling, torn


def begins(row, step=1, jump=0, count=60):
    """Nothing is sent until this row, from which on a page is all so many rows; with it come `jump` pages at once."""
    return [0 if now < row else jump + 1 + (now - row) // step for now in range(count)]


@pytest.mark.parametrize(
    ("sent", "settling"),
    [
        (begins(0), 10),
        (begins(5), 13),
        (begins(20), 28),  # 8 samples after 400 ms it has sent for 160 ms
        (begins(99), 60),
    ],
)
def test_what_goes_on_sending_for_a_window_and_a_half_shows_that_it_was_renewed(sent, settling):
    assert usable(sent) == (settling, 0)


@pytest.mark.parametrize(("step", "settling"), [(2, 28), (3, 29), (5, 35), (8, 44)])
def test_by_four_steps_that_were_seen_at_least(step, settling):
    assert usable(begins(20, step)) == (settling, 0)


@pytest.mark.parametrize(("jump", "settling"), [(300, 28), (330, 30), (400, 38), (450, 44)])
def test_at_no_more_than_twice_the_bandwidth_that_is_shown(jump, settling):
    """After 20 ms × row that is 2000 bytes × (20 × row + 100), where 4096 bytes × (jump + row - 19) were sent."""
    assert 2000 * (20 * settling + 100) >= 4096 * (jump + settling - 19)
    assert settling == 28 or 2000 * (20 * (settling - 1) + 100) < 4096 * (jump + settling - 20)
    assert usable(begins(20, jump=jump)) == (settling, 0)


@pytest.mark.parametrize(
    ("changes", "settling", "torn"), [(5, 10, 0), (10, 10, 1), (11, 11, 1), (15, 15, 1), (40, 28, 1)]
)
def test_another_bandwidth_than_at_first_shows_it_too(changes, settling, torn):
    assert usable(begins(20), later_mbps=8.1, later_from=changes) == (settling, torn)


@pytest.mark.parametrize(("spacing_s", "settling", "torn"), [(0.09, 20, 1), (0.11, 20, 0), (2.0, 20, 0)])
def test_samples_that_come_slower_than_it_is_renewed_are_none_torn(spacing_s, settling, torn):
    later = {"later_mbps": 8.1, "later_from": 20}
    assert usable([0] * 60, spacing_s=spacing_s, **later) == (settling, torn)


def counted(times_s, sent, mbps=()):
    """The same as `usable`, of samples at these times; the bandwidth is 16.384 Mbps, 2048 bytes a millisecond."""
    shown = [*mbps, *[16.384] * (len(times_s) - len(mbps))]
    rows = [
        Sample(t_s, 0.0, "active", 2000.0, Ram(10**9, 4096, pages, 0, 2, 100, shown[row]))
        for row, (t_s, pages) in enumerate(zip(times_s, sent, strict=True))
    ]
    excluded = ExcludedSamples()
    usable_reports(Pass.of(Samples.of(rows)), excluded)
    return tuple(excluded.counts.get(reason, 0) for reason in (SETTLING, TORN))


@pytest.mark.parametrize(("mbps", "settling"), [((), 3), ((16.384, 16.384, 8.0), 2)])
def test_nor_are_those_torn_that_come_as_fast_as_it_is_renewed(mbps, settling):
    """One counts that is 200 ms after the first, where another bandwidth shows an update."""
    assert counted([-0.1, 0.0, 0.1], [0, 0, 0], mbps) == (settling, 0)


@pytest.mark.parametrize(("went_on_s", "settling"), [(0.4, 6), (0.3999, 7)])
def test_a_window_and_a_half_are_150_ms_of_sending(went_on_s, settling):
    """A page at 250 ms, and one at each sample that follows; two of them are within 150 ms of that, and the next."""
    times_s = [0.0, 0.25, 0.27, 0.29, 0.31, 0.33, went_on_s, 0.42, 0.44, 0.46, 0.48, 0.5]
    assert counted(times_s, [0, *range(1, 12)]) == (settling, 0)


def test_what_was_sent_in_the_beginning_counts_as_sent():
    """200 pages at once, between the first two samples."""
    assert usable(begins(1, jump=200)) == (18, 0)


@pytest.mark.parametrize(("more", "settling"), [(0, 30), (1, 31)])
def test_twice_the_bandwidth_that_is_shown_is_not_too_much(more, settling):
    """That is 20 × row + 100 pages until then: in row 30 as many as were sent, or one fewer."""
    sent = [0 if row < 20 else 670 + row + more for row in range(60)]
    assert counted([0.02 * row for row in range(60)], sent) == (settling, 0)


@pytest.mark.parametrize(
    ("rate", "mbps", "words"),
    [
        (0, 8.0, "dirty-pages-rate is 0: QEMU computes nothing"),
        (1, 0.8, "hardly anything was sent: QEMU computes nothing"),
        (1, 0.8001, ""),
        (1, 0.0, "hardly anything was sent: QEMU computes nothing"),
    ],
)
def test_at_some_moments_qemu_computes_nothing(rate, mbps, words):
    """10000 bytes in a window of 100 ms are hardly anything."""
    assert computes_nothing(replace(Ram(1, 4096, 1, 0, 2, rate, mbps))) == words
