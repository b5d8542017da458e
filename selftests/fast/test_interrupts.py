# SPDX-License-Identifier: GPL-2.0-or-later
"""Ctrl-C while an event loop runs that somebody else has made, and what is to end that may not have begun."""

import asyncio
import signal
import threading

import pytest

from avocado_migdowntime.plugins import interrupts
from avocado_migdowntime.plugins.ending import Ending
from avocado_migdowntime.plugins.interrupts import raise_between_callbacks


@pytest.fixture(autouse=True)
def as_before():
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


def test_no_task_of_the_loop_ends_of_it(loop):
    done = []

    async def other():
        signal.raise_signal(signal.SIGINT)
        done.append("it went on")
        await asyncio.sleep(0)
        done.append("to its end")

    async def work():
        raise_between_callbacks()
        raise_between_callbacks()
        await asyncio.sleep(60)

    task = loop.create_task(work())
    task_at_work = loop.create_task(other())
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(task)
    assert done[:1] == ["it went on"] and not task.done()
    loop.run_until_complete(task_at_work)
    assert done == ["it went on", "to its end"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def test_one_that_comes_while_the_loop_waits_wakes_it(loop):
    async def work():
        raise_between_callbacks()
        threading.Timer(0.02, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
        await asyncio.sleep(60)

    task = loop.create_task(work())
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def test_the_same_one_told_twice_is_one(loop):
    async def work():
        raise_between_callbacks()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)

    task = loop.create_task(work())
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(task)
    signal.raise_signal(signal.SIGINT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def test_a_second_one_that_the_loop_does_not_come_to_is_raised_at_once(loop, monkeypatch):
    monkeypatch.setattr(interrupts, "SAME_SIGNAL_S", 0.0)

    async def busy():
        raise_between_callbacks()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("nothing was raised")

    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(busy())


def test_where_no_loop_runs_it_is_raised_at_once_and_what_is_ignored_stays_so():
    raise_between_callbacks()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_between_callbacks()
    signal.raise_signal(signal.SIGINT)


def test_an_end_is_carried_out_once_whichever_comes_last():
    done = []
    early, late = Ending(), Ending()
    early.ask()
    with early.by(lambda: done.append("asked before it began")):
        early.ask()
    with late.by(lambda: done.append("asked while it ran")):
        late.ask()
        late.ask()
    assert done == ["asked before it began", "asked while it ran"] and late.is_asked
    after = Ending()
    with after.by(lambda: done.append("asked after it")):
        assert not after.is_asked
    after.ask()
    assert len(done) == 2
