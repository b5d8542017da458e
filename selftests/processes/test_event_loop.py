# SPDX-License-Identifier: GPL-2.0-or-later
"""What ends a coroutine from outside: signals, in whichever task they come, and cancellations while it cleans up."""

import argparse
import asyncio
import gc
import logging
import signal
import threading

import pytest

from avocado_migdowntime.basics import event_loop
from avocado_migdowntime.basics.event_loop import Cancellable, to_its_end
from avocado_migdowntime.cli import main
from avocado_migdowntime.forms.file import read

from ..support.made_up_monitor import MIGRATING, answering, served

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def signals_as_before():
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_that_comes_in_another_task_cancels_the_coroutine_and_no_more(number):
    done = []

    async def other():
        signal.raise_signal(number)
        done.append("the other task")

    async def work():
        task = asyncio.create_task(other())
        try:
            await asyncio.sleep(60)
        finally:
            await task
            done.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        event_loop.run(work())
    assert done == ["the other task", "cleaned up"]


@pytest.mark.parametrize("number", ENDING)
def test_the_same_signal_told_twice_does_not_cut_the_cleaning_up_short(number):
    done = []

    async def work():
        try:
            signal.raise_signal(number)
            await asyncio.sleep(60)
        finally:
            signal.raise_signal(number)
            await asyncio.sleep(0.05)
            done.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        event_loop.run(work())
    signal.raise_signal(number)
    assert done == ["cleaned up"]


def test_a_later_signal_cancels_again(monkeypatch):
    monkeypatch.setattr(event_loop, "SAME_SIGNAL_S", 0.0)
    cancelled = 0

    async def work():
        nonlocal cancelled
        while cancelled < 3:
            try:
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled += 1

    with pytest.raises(KeyboardInterrupt):
        event_loop.run(work())
    assert cancelled == 3


def test_what_was_ignored_stays_ignored_and_without_a_signal_all_is_as_before():
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    async def work():
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0.01)
        return signal.getsignal(signal.SIGTERM)

    before = [signal.getsignal(number) for number in ENDING]
    assert event_loop.run(work()) not in before
    assert [signal.getsignal(number) for number in ENDING] == before and before[0] is signal.SIG_IGN


def test_an_error_of_the_coroutine_is_raised_as_it_is_and_gives_the_signals_back():
    async def fail():
        raise ValueError("so it is")

    before = [signal.getsignal(number) for number in ENDING]
    with pytest.raises(ValueError, match="so it is"):
        event_loop.run(fail())
    assert [signal.getsignal(number) for number in ENDING] == before


def test_another_thread_may_run_one_as_well():
    results = []
    thread = threading.Thread(target=lambda: results.append(event_loop.run(asyncio.sleep(0, "done"))))
    thread.start()
    thread.join()
    assert results == ["done"]


def test_another_thread_cancels_one_and_waits_until_it_has_cleaned_up():
    done, cancellable, begun = [], Cancellable(), threading.Event()

    async def work():
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            done.append("cleaned up")

    def run():
        with pytest.raises(asyncio.CancelledError):
            cancellable.run(work())
        done.append("cancelled")

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait()
    assert not cancellable.has_ended(0.01)
    cancellable.cancel()
    assert cancellable.has_ended(60) and done[:1] == ["cleaned up"]
    thread.join()
    assert done == ["cleaned up", "cancelled"]


def test_one_that_was_cancelled_before_it_began_does_not_begin_and_one_that_has_ended_stays_so():
    done, cancellable = [], Cancellable()

    async def work():
        done.append("begun")

    assert cancellable.has_ended(60)
    cancellable.cancel()
    with pytest.raises(asyncio.CancelledError):
        cancellable.run(work())
    assert done == [] and cancellable.has_ended(60)
    other = Cancellable()
    other.run(work())
    other.cancel()
    assert done == ["begun"] and other.has_ended(60)


def test_what_must_come_to_its_end_does_so_before_cancellations_take_effect():
    done = []

    async def end():
        await asyncio.sleep(0.02)
        done.append("the end")

    async def twice():
        task = asyncio.create_task(to_its_end(end()))
        for _ in range(2):
            await asyncio.sleep(0)
            task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(twice())
    assert done == ["the end"]


class Signalling(logging.Handler):
    """Sends this process a signal when qemu.qmp logs the `first` lines, and each time it has logged `then`."""

    def __init__(self, number, first, then):
        super().__init__(logging.DEBUG)
        self._number, self._first, self._then = number, first, then
        self.sent = 0

    def emit(self, record):
        line = record.getMessage()
        if self._first > 0 and line.startswith("<--"):
            self._first -= 1
            if self._first == 0:
                self._send()
        elif self.sent and line.startswith(self._then):
            self._send()

    def _send(self):
        self.sent += 1
        signal.raise_signal(self._number)


@pytest.mark.parametrize("then", ["disconnect() called", "Cancelling writer", "Waiting for StreamWriter"])
@pytest.mark.parametrize(
    ("number", "ignored"),
    [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGTERM, True)],
    ids=["SIGINT", "SIGTERM", "SIGTERM-as-SIGINT-is-ignored"],
)
def test_a_recording_ends_well_whenever_a_signal_comes_again(number, ignored, then, tmp_path, sockets, capsys, caplog):
    """The second one finds qemu.qmp's own tasks at work, which know of no KeyboardInterrupt."""
    signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    signalling, logger = Signalling(number, 40, then), logging.getLogger("qemu.qmp")
    parser = argparse.ArgumentParser()
    main.add_to(parser)
    trace = tmp_path / "trace.jsonl"
    level = logger.level
    with served(sockets / "qmp", lambda client: answering(client, MIGRATING)):
        logger.setLevel(logging.DEBUG)
        logger.addHandler(signalling)
        try:
            status = main.run(parser.parse_args(["record", str(sockets / "qmp"), "-o", str(trace)]))
        finally:
            logger.removeHandler(signalling)
            logger.setLevel(level)
    gc.collect()
    assert (status, signalling.sent) == (0, 2)
    samples = len(read(str(trace)).samples)
    said = capsys.readouterr().err
    assert samples > 5 and said.endswith(f"{samples} samples in {trace}, the migration was still active then\n")
    assert [each.getMessage() for each in caplog.records if each.name == "asyncio"] == []
