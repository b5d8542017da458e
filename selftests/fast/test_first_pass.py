# SPDX-License-Identifier: GPL-2.0-or-later
"""The first pass of a migration: how long it is held back, and the limit that it has."""

import asyncio
from math import inf
from types import SimpleNamespace

import pytest

from avocado_migdowntime.errors import HarnessError, UsageError
from avocado_migdowntime.experiments import first_pass
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.trace.events import AIMED, FIRST_PASS

from ..support.samples import sample

ON_HUGEPAGES = {"page_size": "2M", "downtime_limit": "300", "region": "20M"}
AT_ONCE = {**ON_HUGEPAGES, "max_bandwidth": "10M"}
"""At this bandwidth the first pass lasts long enough by itself."""


class Made:
    """A migration of these samples; `done` is what was done, each with the time of the last sample taken before."""

    def __init__(self, parameters, samples):
        self.parameters, self.done = parse(parameters), []
        self.pair = SimpleNamespace(link=SimpleNamespace(bytes_per_s=inf), source=self)
        self.sampler = SimpleNamespace(now_s=lambda: self._now_s, note=self._note)
        self._samples, self._now_s = iter(samples), None

    async def execute(self, command, arguments):
        assert command == "migrate-set-parameters"
        self.done.append((self._now_s, arguments["downtime-limit"]))

    def _note(self, name, data):
        assert (name, data) == (AIMED, {"downtime-limit": self.done[-1][1], "since": self._now_s})

    async def follow(self, enough):
        for one in self._samples:
            self._now_s = one.t_s
            if enough(one):
                return True
        return False

    async def send_at(self, bytes_per_ms, event):
        self.done.append((self._now_s, event, bytes_per_ms))


def held(migration, becomes_ready=True):
    async def hold():
        ready = asyncio.ensure_future(asyncio.sleep(0))
        if becomes_ready:
            await ready
        await first_pass.hold_first_pass(migration, ready)
        await first_pass.end_first_pass(migration)

    asyncio.run(hold())
    return migration.done


@pytest.mark.parametrize(
    ("given", "link_bytes_per_s", "until_s"),
    [
        ({"region": "20M", "max_bandwidth": "20M"}, inf, 0.051),
        ({"region": "20M", "max_bandwidth": "40M"}, inf, 0.551),
        ({"region": "20M", "max_bandwidth": "10M"}, inf, -0.949),
        ({"region": "20M", "max_bandwidth": "20M", "downtime_limit": "500"}, inf, 0.55),
        ({"region": "20M", "max_bandwidth": "20M", "downtime_limit": "5000"}, inf, 1.05),
        ({"region": "20M", "max_bandwidth": "100G"}, 40 * 2**20, 0.551),
    ],
)
def test_the_first_pass_is_held_until_it_lasts_for_more_than_a_second(given, link_bytes_per_s, until_s):
    assert first_pass._until_s(parse(given), link_bytes_per_s) == pytest.approx(until_s)


def test_a_guest_that_has_refused_its_orders_is_told_of_also_where_nothing_is_held():
    pair = SimpleNamespace(link=SimpleNamespace(bytes_per_s=inf))

    async def hold():
        ready = asyncio.ensure_future(refuse())
        await asyncio.wait({ready})
        await first_pass.hold_first_pass(SimpleNamespace(parameters=parse({"region": "1G"}), pair=pair), ready)

    async def refuse():
        raise UsageError("the guest refused its orders")

    with pytest.raises(UsageError, match="refused its orders"):
        asyncio.run(hold())


def test_a_migration_that_ends_before_the_guest_is_ready_says_so():
    async def hold():
        ready = asyncio.ensure_future(asyncio.Event().wait())
        try:
            await first_pass.hold_first_pass(Made(ON_HUGEPAGES, samples([1, 1, 2])), ready)
        finally:
            ready.cancel()

    with pytest.raises(HarnessError, match="ended before the guest had dirtied its region once"):
        asyncio.run(hold())


def samples(numbers):
    return [sample(float(second), number) for second, number in enumerate(numbers)]


def test_on_hugepages_it_leaves_nothing_so_that_the_second_sends_few_other_pages():
    # The limit is set once the migration has begun, and before the pass goes on; the usual one as the next begins.
    full = parse(ON_HUGEPAGES).bytes_per_s / 1000
    done = [(None, FIRST_PASS, 1.0), (1.0, 1), (1.0, FIRST_PASS, full), (3.0, 300)]
    assert held(Made(ON_HUGEPAGES, samples([1, 1, 1, 2, 2]))) == done
    assert held(Made(AT_ONCE, samples([1, 1, 2, 2]))) == [(0.0, 1), (2.0, 300)]


@pytest.mark.parametrize("other", [{"page_size": "4K"}, {"downtime_limit": "1"}, {"guest": "linux"}])
def test_otherwise_it_has_the_limit_of_the_others(other):
    migration = Made({**AT_ONCE, **other}, samples([1, 2]))
    assert [one for one in held(migration) if FIRST_PASS not in one] == []


@pytest.mark.parametrize(
    ("parameters", "numbers", "done"),
    [
        (AT_ONCE, [], []),
        (AT_ONCE, [1, 1], [(0.0, 1)]),
        (ON_HUGEPAGES, [], [(None, FIRST_PASS, 1.0)]),
    ],
)
def test_a_migration_that_ends_with_it_gets_no_other_limit(parameters, numbers, done):
    assert held(Made(parameters, samples(numbers))) == done
