# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a migration is watched: the bandwidth that makes passes short, and when enough of them was seen."""

from types import SimpleNamespace

import pytest

from avocado_migdowntime.experiments import expected_downtime
from avocado_migdowntime.experiments.expected_downtime import REPORTS, EnoughPasses
from avocado_migdowntime.oracle.growing import GrowingEvidence
from avocado_migdowntime.oracle.reports import ExcludedSamples
from avocado_migdowntime.parameters.bandwidth import FOR_A_SLOW_GUEST
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.verdict.judged_passes import judged_passes

from ..support.simulate import PAGE, Simulation, record

BYTES_PER_MS = 40_000.0
HEADER_BYTES = 8
REGIONS = ["2M", "20M", "23M"]


def pages(ms):
    return int(ms * BYTES_PER_MS / PAGE)


def expected_ms(region_bytes, bytes_per_s):
    """By whole pages in a window of 100 ms, each with its header."""
    window = -(-bytes_per_s // 10 // (PAGE + HEADER_BYTES)) * (PAGE + HEADER_BYTES)
    return region_bytes / (window / 100)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("limit_ms", [1, 100, 300])
def test_passes_last_half_a_second_beyond_what_the_limit_leaves_unsent(region, limit_ms):
    given = parse({"region": region, "downtime_limit": str(limit_ms), "page_size": "4K"})
    needed_ms = expected_ms(given.region, given.bytes_per_s)
    assert needed_ms - limit_ms == pytest.approx(500 + limit_ms, rel=0.05)


@pytest.mark.parametrize("region", REGIONS[1:])
@pytest.mark.parametrize(("limit_ms", "page_size"), [(100, "2M"), (300, "2M"), (1000, "16M"), (5000, "64K")])
def test_on_hugepages_a_power_of_two_of_pages_is_sent_between_two_rests(region, limit_ms, page_size):
    given = parse({"region": region, "downtime_limit": str(limit_ms), "page_size": page_size})
    pages_a_window = -(-given.bytes_per_s // 10 // (PAGE + HEADER_BYTES))
    assert (pages_a_window + 1).bit_count() == 1
    wanted_ms = 500 + 2 * limit_ms
    assert wanted_ms * 0.66 < expected_ms(given.region, given.bytes_per_s) < wanted_ms * 1.52


def test_the_least_limit_leaves_too_little_for_that_to_matter():
    assert parse({"page_size": "2M"}).bytes_per_s == parse({"page_size": "4K"}).bytes_per_s


def test_little_is_lost_where_the_report_is_cut_to_whole_milliseconds():
    given = parse({})
    needed_ms = expected_ms(given.region, given.bytes_per_s)
    assert 0 < needed_ms % 1 < 0.6 and (needed_ms * 1.01) % 1 < 0.6


@pytest.mark.parametrize(("region", "limit_ms"), [("64M", 1), ("1G", 5000)])
def test_a_large_region_is_not_sent_faster_than_a_busy_host_can(region, limit_ms):
    assert parse({"region": region, "downtime_limit": str(limit_ms)}).bytes_per_s == 50_000_000


def test_a_bandwidth_that_is_given_holds():
    assert parse({"max_bandwidth": "7000000"}).bytes_per_s == 7_000_000


@pytest.mark.parametrize(
    "orders", [{"rate": "1000"}, {"burst": "100/400"}, {"pattern": "idle"}, {"guest": "linux"}], ids=str
)
def test_a_guest_that_does_not_dirty_all_in_each_pass_is_sent_at_less_than_it_dirties(orders):
    given = parse(orders)
    assert not given.at_full_speed and given.bytes_per_s == FOR_A_SLOW_GUEST


@pytest.mark.parametrize("pattern", ["sequential", "random", "hot-cold"])
def test_one_that_does_has_short_passes(pattern):
    given = parse({"pattern": pattern})
    assert given.at_full_speed and given.bytes_per_s > FOR_A_SLOW_GUEST


class Watched:
    """An experiment's `enough`, fed with a simulated migration sample by sample."""

    def __init__(self, simulation, passes=2, fault=None):
        trace = record(simulation, period_ms=10, fault=fault)
        self._growing = GrowingEvidence(trace.header)
        parameters = parse({"passes": str(passes)})
        enough = EnoughPasses(SimpleNamespace(parameters=parameters, evidence=self._growing.evidence))
        for event in trace.events:
            self._growing.event(event)
        self.ended = None
        for sample in trace.samples:
            self._growing.sample(sample)
            if enough(sample):
                self.ended = sample
                return

    @property
    def judged(self):
        return judged_passes(self._growing.evidence(), "last-sync", 0.01, ExcludedSamples())[0]


def test_it_is_enough_when_the_last_pass_can_be_judged_and_a_torn_report_would_not_matter():
    watched = Watched(Simulation([pages(1200), pages(500)], BYTES_PER_MS))
    assert watched.ended.ram.dirty_sync_count == 3
    first, last = watched.judged
    assert len(last.reports) == REPORTS < len(first.reports)


def test_a_pass_that_stands_alone_is_watched_until_half_of_it_is_sent():
    watched = Watched(Simulation([pages(1200), pages(1500)], BYTES_PER_MS), passes=1)
    (only,) = watched.judged
    samples = only.sync.after.samples
    assert watched.ended.ram.dirty_sync_count == 2
    assert watched.ended.ram.remaining_bytes <= samples.remaining_bytes[0] / 2 < samples.remaining_bytes[-2]


def test_a_pass_that_cannot_be_judged_is_made_up_for_by_another():
    watched = Watched(Simulation([pages(1200), pages(500), pages(150), pages(500)], BYTES_PER_MS))
    assert watched.ended.ram.dirty_sync_count == 4
    assert [segment.number for segment in watched.judged] == [2, 4]


@pytest.mark.long
def test_passes_that_can_never_be_judged_are_not_waited_for_without_end():
    """They are too short for a report, or QEMU computes none."""
    watched = Watched(Simulation([pages(1200), pages(150)], BYTES_PER_MS))
    assert watched.judged == []
    begun_s = 1.2 + 0.15
    assert watched.ended.t_s == pytest.approx(begun_s + expected_downtime._PATIENCE_S, abs=0.3)
