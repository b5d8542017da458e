# SPDX-License-Identifier: GPL-2.0-or-later
"""A mad QEMU in a migration: whatever it answers or keeps to itself, the run ends in a sentence, and in time."""

import asyncio

import pytest

from avocado_migdowntime.errors import HarnessError, MigDowntimeError
from avocado_migdowntime.experiments.run import run_and_judge
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu import pair

from ..support.made_up_qemu import PROBED, made_up_qemu

MIGRATES = {
    **PROBED,
    "query-migrate-parameters": {"downtime-limit": 300, "max-bandwidth": 1_000_000},
    "query-migrate": {**PROBED["query-migrate"], "socket-address": [{"port": "1"}]},
}
SPEAKS = "print('migdowntime: ready\\nmigdowntime: dirtying', flush=True)"
MIGRATION = {
    **{"arch": "x86_64", "accel": "tcg", "page_size": "4K", "ram": "64M", "region": "16M", "time_limit": "60"},
    **{"max_bandwidth": "1000000", "downtime_limit": "300", "integrity": "no"},
}
GOES_ON = {"time_limit": ("3", "30")}
"""Of a run that goes on for as long as it may, and again for longer where a busy host did not come to that point."""


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ({"migrate": {"error": {"class": "a", "desc": "b\udcff\n\x1b[2Jc"}}}, "source QEMU refused migrate: b\udcff\n"),
        ({"query-migrate-parameters": {"max-bandwidth": 1}}, "QEMU says that its max-bandwidth is 1 in its answer"),
        ({"query-migrate-parameters": {"max-bandwidth": 1_000_000}}, "QEMU says nothing of its 'downtime-limit' in"),
        ({"migrate-set-capabilities": {"error": {}}}, "during migrate-set-capabilities"),
        ({"migrate-incoming": None, **GOES_ON}, "the destination QEMU has not answered migrate-incoming for"),
        ({"query-migrate": None, **GOES_ON}, "the source QEMU has not answered query-migrate for"),
        ({"query-migrate": []}, "the source QEMU answers query-migrate with [], which no QEMU does: expected `object`"),
        ({"query-migrate": {"status": "failed", "error-desc": 5}}, "expected `str`, got `int` at `$.error-desc`"),
        (
            {"query-migrate": {"status": "failed", "error-desc": "a\x1b"}},
            "the migration ended as failed: a\x1b; the destination",
        ),
        ({"query-migrate": {"status": "active"}}, "has no 'ram', as that of an active migration should"),
        ({"query-migrate": {"status": "none"}, **GOES_ON}, "given up after {limit_s} s while"),
        *(
            (
                {"query-migrate": {"status": "none", **where}, "link": "tcp"},
                "does not report the port that it listens on",
            )
            for where in ({}, {"socket-address": []}, {"socket-address": [{"port": "a b"}]})
        ),
    ],
)
def test_a_migration_of_such_ends_in_a_sentence_and_leaves_nothing(tmp_path, lie, says):
    binary = made_up_qemu(tmp_path / "mad", {**MIGRATES, **lie}, SPEAKS)
    given = {**MIGRATION, **{name: lie[name] for name in ("link",) if name in lie}, "qemu": binary}

    async def course(run):
        await run.follow(lambda _: False)

    ended = ""
    for attempt, limit_s in enumerate(lie.get("time_limit", (MIGRATION["time_limit"],))):
        directory = tmp_path / str(attempt)
        directory.mkdir()
        with pytest.raises(MigDowntimeError) as caught:
            asyncio.run(run_and_judge(parse({**given, "time_limit": limit_s}), directory, lambda _: None, course))
        ended = str(caught.value)
        if (words := says.replace("{limit_s}", limit_s)) in ended:
            break
    assert words in ended


HANGS = "if any('memory-backend' in word for word in sys.argv): time.sleep(600)"


@pytest.mark.usefixtures("nothing_left")
def test_one_that_hangs_as_it_starts_is_named_before_the_run_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(pair, "START_S", 0.5)
    given = {**MIGRATION, "qemu": made_up_qemu(tmp_path / "mad", MIGRATES, HANGS)}
    with pytest.raises(
        HarnessError, match=r"^\w+ QEMU did not speak QMP within 0.5 s, mad \d+ is \w+: it printed nothing"
    ):
        asyncio.run(run_and_judge(parse(given), tmp_path, lambda _: None, lambda _: None))


SLOW = "if 'none' in sys.argv: time.sleep(1)"
"""Where it is asked what it can do."""


@pytest.mark.usefixtures("nothing_left")
def test_one_that_is_slow_to_start_is_not_called_no_qemu_however_short_the_run_may_be(tmp_path):
    given = {**MIGRATION, "qemu": made_up_qemu(tmp_path / "mad", MIGRATES, SLOW), "time_limit": "3"}
    with pytest.raises(HarnessError, match=r"^given up after 3 s while "):
        asyncio.run(run_and_judge(parse(given), tmp_path, lambda _: None, lambda _: None))
