# SPDX-License-Identifier: GPL-2.0-or-later
"""What an ordinary user's runs come to: the demo on small pages and on hugepages, and a slow link without root."""

import json
from contextlib import contextmanager

import pytest

from avocado_migdowntime.host.lock import exclusive
from avocado_migdowntime.host.pool import Pool

from ..support.ordinary_user import NO_INDEX, for_root

pytestmark = [pytest.mark.alone, pytest.mark.qemu, pytest.mark.network, pytest.mark.usefixtures("nothing_left")]
MIB = 1 << 20
NEEDED = 256
"""Hugepages of 2 MiB for the demo."""
ATTEMPTS = 3
"""A busy host makes a verdict inconclusive now and then."""


@contextmanager
def free_hugepages(count):
    """Have so many of 2 MiB, where there are fewer."""
    pool = Pool(2 * MIB)
    with exclusive(pool.path):
        before = pool.size_pages
        missing = max(0, count - pool.counters().available)
        assert pool.resize(before + missing) == before + missing
    try:
        yield
    finally:
        with exclusive(pool.path):
            pool.resize(pool.size_pages - missing)


def judged_demo(user, **more):
    """What a demo prints that has come to a verdict."""
    for _ in range(ATTEMPTS):
        done = user.run("make", "demo", **more)
        if done.returncode == 0:
            return done.stdout
    return pytest.fail(done.stdout)


@pytest.mark.usefixtures("environment")
def test_a_demo_without_hugepages_takes_small_ones_and_says_why_and_costs_no_set_up_again(user):
    available = Pool(2 * MIB).counters().available
    if available >= NEEDED:
        pytest.skip("this host has free hugepages")
    told = judged_demo(user, **NO_INDEX)
    said = f"demo: {NEEDED} free hugepages of 2M are needed, {available} are available, so this run uses pages of 4K\n"
    assert told.count(said) == 1
    assert "on memfd pages of 4K\n" in told and "\nverdict    ACCURATE\n" in told
    assert "No such file" not in told and "pip" not in told


@for_root
@pytest.mark.usefixtures("environment")
def test_a_demo_takes_hugepages_that_are_free(user):
    with free_hugepages(NEEDED):
        told = judged_demo(user)
    assert "on memfd pages of 2M\n" in told and "\nverdict    ACCURATE\n" in told and "demo: " not in told


def test_on_a_slow_link_without_root_the_guest_is_down_for_as_long_as_was_said(slow_link_run):
    verdict = json.loads((slow_link_run() / "verdict.json").read_text())
    assert verdict["passed"] and verdict["promise"]["judgement"] == "kept"
