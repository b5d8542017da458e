# SPDX-License-Identifier: GPL-2.0-or-later
"""What a QMP connection knows of what was not answered, and that its end leaves nothing behind."""

import asyncio
import gc

import pytest
from qemu.qmp import ExecuteError

from avocado_migdowntime.qemu.monitor import Monitor, Silence

from ..support.made_up_monitor import MIGRATING, answering, served


def with_monitor(path, work, answers=MIGRATING):
    """What `work` returns, with a monitor on a QEMU that gives these answers."""

    async def connected():
        monitor = Monitor("made up")
        await monitor.connect(str(path))
        try:
            return await work(monitor)
        finally:
            await monitor.disconnect()

    with served(path, lambda client: answering(client, answers)):
        return asyncio.run(connected())


def test_what_is_not_answered_is_told_with_its_command_and_how_long(sockets):
    async def work(monitor):
        assert monitor.silence() is None
        waiting = [asyncio.create_task(monitor.execute(command)) for command in ("cont", "query-status")]
        await asyncio.sleep(0.2)
        silence, idle_s = monitor.silence(), monitor.idle_s()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return silence, idle_s, monitor.silence()

    silence, idle_s, cancelled = with_monitor(sockets / "qmp", work, {"cont": None, "query-status": None})
    assert silence.command == "cont" and silence.seconds >= 0.2 and idle_s == 0
    assert cancelled.command == "cont" and cancelled.seconds >= silence.seconds


@pytest.mark.parametrize(("seconds", "told"), [(0.24, "0.2"), (0.96, "1.0"), (1.0, "1"), (12.7, "13")])
def test_a_silence_of_less_than_a_second_is_told_by_its_tenths(seconds, told):
    assert str(Silence("cont", seconds)) == f"has not answered cont for {told} s"


def test_an_answer_ends_the_silence_also_of_what_was_asked_before(sockets):
    async def work(monitor):
        lost = asyncio.create_task(monitor.execute("cont"))
        await asyncio.sleep(0.1)
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
        assert monitor.silence().command == "cont"
        assert await monitor.execute("query-status") == {"status": "running"}
        assert monitor.silence() is None
        await asyncio.sleep(0.1)
        return monitor.idle_s()

    assert with_monitor(sockets / "qmp", work, {**MIGRATING, "cont": None}) >= 0.1


def test_a_refusal_is_an_answer(sockets):
    async def work(monitor):
        with pytest.raises(ExecuteError, match="not today"):
            await monitor.execute("stop")
        return monitor.silence()

    refusal = {"error": {"class": "GenericError", "desc": "not today"}}
    assert with_monitor(sockets / "qmp", work, {"stop": refusal}) is None


@pytest.mark.parametrize("steps", range(1, 12))
def test_a_disconnection_that_is_cancelled_at_any_step_comes_to_its_end(sockets, caplog, steps):
    async def work(monitor):
        for _ in range(2):  # The second finds the connection gone.
            ending = asyncio.create_task(monitor.disconnect())
            for _ in range(steps):
                await asyncio.sleep(0)
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
        return monitor.runstate.name

    assert with_monitor(sockets / "qmp", work) == "IDLE"
    gc.collect()
    assert [each.getMessage() for each in caplog.records if each.name == "asyncio"] == []
