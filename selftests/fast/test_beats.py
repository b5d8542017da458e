# SPDX-License-Identifier: GPL-2.0-or-later
"""The beats of a guest's heart on two sides, each looked at by itself: the last at the source, the first after it."""

import asyncio
import time
from collections.abc import Iterable

import pytest

from avocado_migdowntime.agent.memory import BeatLog
from avocado_migdowntime.qemu import heartbeat
from avocado_migdowntime.qemu.heartbeat import HeartHere, beats

PATIENCE_S = 30


def logged(counts: Iterable[int | None]) -> BeatLog:
    """The log of a count that is each of these at one look, the last one for ever; None is memory that is gone."""
    left, looks_at_last = list(counts), 0

    def look() -> int:
        nonlocal looks_at_last
        looks_at_last += len(left) == 1
        count = left.pop(0) if len(left) > 1 else left[0]
        if count is None:
            raise ValueError("there is nothing")
        return count

    log = BeatLog(look)
    log.begin()
    until_s = time.monotonic() + PATIENCE_S
    # What a look has shown is written down before the next one, which there is none of once memory is gone.
    while looks_at_last < (1 if left[-1] is None else 2) and time.monotonic() < until_s:
        time.sleep(0.002)
    log.end()
    return log


def number(change: tuple[int, float, float] | None) -> int | None:
    return change[0] if change else None


def test_each_change_lies_between_the_looks_that_show_it():
    log = logged([3, 3, 4])
    count, after_s, by_s = log.last()
    assert count == 4 and after_s < by_s <= time.monotonic()
    _, before_s, first_by_s = log.first_above(2)
    assert before_s <= first_by_s <= by_s and log.first_above(4) is None


@pytest.mark.parametrize(
    ("counts", "last", "first"),
    [
        ([0, 7, 8, 9], 7, 8),
        ([0, 7, 5, 7, 9, 10], 7, 9),  # What arrives late overwrites what was there.
        ([0, 9, 7, 7], 7, None),
        ([0, 7, 8, None], 7, 8),
    ],
)
def test_the_first_beat_of_the_destinations_own_is_found(counts, last, first):
    assert number(logged(counts).first_above(last)) == first


def test_both_sides_together_tell_when_the_heart_stood_still(monkeypatch):
    source, destination = logged([1, 2, 3]), logged([0, 1, 3, 4, 5])
    last, first = asyncio.run(beats(HeartHere(source), HeartHere(destination)))
    assert (last.number, first.number) == (3, 4) and last.by_s < first.by_s
    monkeypatch.setattr(heartbeat, "_PATIENCE_S", 0.01)
    assert asyncio.run(beats(HeartHere(source), HeartHere(logged([0, 3])))) is None
