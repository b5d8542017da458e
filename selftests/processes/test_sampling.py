# SPDX-License-Identifier: GPL-2.0-or-later
"""Sampling what a QEMU answers that happens once in a thousand migrations, so that it has to be played back."""

import asyncio
from contextlib import contextmanager, nullcontext

import pytest
from qemu.qmp import QMPClient

from avocado_migdowntime.errors import HarnessError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.record import sampler
from avocado_migdowntime.record.sampler import Sampler
from avocado_migdowntime.trace.file import TraceWriter

RAM = {
    "total": 1 << 28, "remaining": 1 << 20, "transferred": 1 << 24, "normal": 4096, "duplicate": 10, "mbps": 260.0,
    "dirty-pages-rate": 100, "dirty-sync-count": 2, "page-size": 4096,
}  # fmt: skip
ACTIVE = {"status": "active", "total-time": 1900, "expected-downtime": 300, "ram": RAM}
TORN = {"status": "active", "total-time": 0, "downtime": 0, "ram": RAM}
COUNTING = {"status": "completed", "total-time": 0, "downtime": 0, "ram": RAM}
COMPLETED = {"status": "completed", "total-time": 1920, "downtime": 41, "ram": RAM}


class Played:
    """A monitor that gives these answers in turn."""

    def __init__(self, *answers):
        self.qmp = QMPClient()
        self._answers = iter(answers)

    async def execute(self, command, arguments=None):
        assert command == "query-migrate" and arguments is None
        return next(self._answers)


def statuses(path, *answers):
    async def taken():
        source = Played(*answers)
        async with Sampler(source, writer, 1000, {"source": source}) as sampler:
            return [sample.status async for sample, _ in sampler.answered_samples()]

    writer = TraceWriter(path, {"qemu": {}, "migrate-parameters": {}})
    try:
        return asyncio.run(taken())
    finally:
        writer.close()


def test_an_answer_made_while_the_migration_completed_is_asked_for_again(tmp_path):
    path = tmp_path / "trace.jsonl"
    assert statuses(path, ACTIVE, TORN, COUNTING, COMPLETED) == ["active", "completed", "completed"]
    assert path.read_text().count("query-migrate") == 3


@pytest.mark.parametrize("lacking", ["ram", "expected-downtime"])
def test_a_qemu_that_leaves_out_what_is_to_be_judged_is_told_of(tmp_path, lacking):
    answer = {name: value for name, value in ACTIVE.items() if name != lacking}
    with pytest.raises(HarnessError, match=f"has no '{lacking}', as that of an active migration should"):
        statuses(tmp_path / "trace.jsonl", answer)


class Announcing(Played):
    """One that announces these statuses of its migration, and nothing more."""

    def __init__(self, answers, statuses):
        super().__init__(*answers)
        self.qmp = self
        self._statuses = statuses

    @contextmanager
    def listener(self):
        yield self._announced()

    async def _announced(self):
        for status in self._statuses:
            yield {"event": "MIGRATION", "data": {"status": status}}
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("of_destination", "waits"), [(["active", "completed"], False), (["active"], True), ([], True), (["failed"], False)]
)
def test_what_the_sides_announce_is_awaited_no_longer_than_until_both_have_ended(
    tmp_path, monkeypatch, of_destination, waits
):
    monkeypatch.setattr(sampler, "_LAST_EVENTS_S", 3600)
    path = tmp_path / "trace.jsonl"

    async def taken():
        source = Announcing([ACTIVE, COMPLETED], ["active", "completed"])
        destination = Announcing([], of_destination)
        sides = {"source": source, "destination": destination}
        async with Sampler(source, writer, 1000, sides) as sampling:
            async for _ in sampling.answered_samples():
                pass

    writer = TraceWriter(path, {"qemu": {}, "migrate-parameters": {}})
    try:
        with pytest.raises(TimeoutError) if waits else nullcontext():
            asyncio.run(asyncio.wait_for(taken(), 0.5))
    finally:
        writer.close()
    assert len(read(str(path)).events) == 2 + len(of_destination)
