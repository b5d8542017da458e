# SPDX-License-Identifier: GPL-2.0-or-later
"""Which host a test runs on, and what is told of it where its runner cannot; hosts are made up."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from avocado_migdowntime.basics.termination import WHY_TERMINATED
from avocado_migdowntime.errors import HostRequirementError, UsageError
from avocado_migdowntime.plugins import far_host, far_run, host_pool, hosts
from avocado_migdowntime.plugins.far_host import FarHost, HostLost, HostUnfit
from avocado_migdowntime.plugins.host_pool import Hosts
from avocado_migdowntime.plugins.hosts import MigDowntimeHosts

from ..support.waiting import HANGS_S

LACKING = "python3 of lacking lacks this package"
TOGETHER = threading.Barrier(12)


class MadeUpHost:
    """`name` says how what it is asked to run ends."""

    def __init__(self, name):
        self.name, self.python, self.ran, self.running = name, "python3", 0, 0

    def run(self, arguments, within_s, ending):
        assert (
            not ending.is_asked
            and arguments[:2] == ["avocado_migdowntime.plugins.runner", "task-run"]
            and within_s == 14400
        )
        self.ran += 1
        self.running += 1
        assert self.running == 1
        try:
            if self.name.startswith("together"):
                TOGETHER.wait(HANGS_S)
                return 0, ""
            if self.name == "long":
                ended = threading.Event()
                with ending.by(ended.set):
                    assert ended.wait(HANGS_S)
                return 1, ""
            if self.name == "killed":
                threading.Timer(0.1, host_pool.note_end, ["0"]).start()
                return 128 + 9, "Killed"
            if self.name == "lost when told":
                host_pool.note_end("0")
                raise HostLost("gone")
            if self.name == "late":
                host_pool.note_end("0")
                return 128 + 15, "Terminated"
            if self.name.startswith("lost"):
                raise HostLost(f"the connection to {self.name} is gone")
            if self.name.startswith("closed"):
                raise HostRequirementError("no shell of the host closed can be had")
            if self.name.startswith("without"):
                return {"cancel": 75, "fail": 76}[self.name.split()[1]], f"some\nno QEMU {self.name[-1]}"
            if self.name == "lacking":
                raise HostUnfit(LACKING)
            return {"good": (0, ""), "odd": (3, "some\nlast words")}[self.name.rstrip("2")]
        finally:
            self.running -= 1

    def close(self):
        pass


@pytest.fixture
def ran(monkeypatch):
    """Runs so many tests on hosts of these names; gives the hosts, and what was told of the tests by their number."""
    told = []
    monkeypatch.setattr(host_pool, "FarHost", MadeUpHost)
    monkeypatch.setattr(far_run, "_TOLD_S", 0.05)
    monkeypatch.setattr(far_run, "tell", lambda address, message: told.append((address, message)))

    def run(names, tests, ended=()):
        spawner = MigDowntimeHosts({"spawner.remote.slots": names, "spawner.remote.test_timeout": "14400"})

        async def all_of_them():
            tasks = [made_up_task(number) for number in range(tests)]
            for task in tasks:
                assert await spawner.spawn_task(task)
            await asyncio.sleep(0)
            for number in ended:
                assert await spawner.terminate_task(tasks[number])
            for task in tasks:
                await spawner.wait_task(task)
                assert not spawner.is_task_alive(task)

        used = []
        monkeypatch.setattr(host_pool, "Hosts", lambda slots: used.append(Hosts(slots)) or used[0])
        asyncio.run(all_of_them())
        host_pool.leave()
        assert {address for address, _ in told} <= {"198.18.8.1:8888"}
        return {host.name: host.ran for host in used[0]._all}, {
            m["id"]: (m["result"], m["fail_reason"]) for _, m in told
        }

    return run


def made_up_task(number):
    runnable = SimpleNamespace(
        kind="migdowntime", pick_runner_module_from_entry_point_kind=lambda kind: f"avocado_{kind}.plugins.runner"
    )
    task = SimpleNamespace(
        identifier=number,
        job_id="job",
        runnable=runnable,
        get_command_args=lambda: ["-i", str(number)],
        status_services=[SimpleNamespace(uri="198.18.8.1:8888")],
    )
    return SimpleNamespace(task=task, spawner_handle=None)


def test_tests_go_to_hosts_that_are_free(ran):
    used, told = ran(["good", "good2"], 6)
    assert sum(used.values()) == 6 and min(used.values()) > 0 and told == {}


def test_all_hosts_run_tests_at_the_same_time_however_many_they_are(ran):
    names = [f"together{number}" for number in range(TOGETHER.parties)]
    assert ran(names, len(names)) == (dict.fromkeys(names, 1), {})


def test_what_is_ended_tells_so_and_what_waits_for_a_host_does_not_begin(ran):
    used, told = ran(["long"], 3, ended=(1, 2, 0))
    waited = ("interrupted", "the test was ended before a host was free")
    ended = ("interrupted", WHY_TERMINATED)
    assert (used, told) == ({"long": 1}, {"0": ended, "1": waited, "2": waited})


@pytest.mark.parametrize("bad", ["lost", "closed"])
def test_what_a_host_could_not_end_another_runs(ran, capsys, bad):
    used, told = ran([bad, "good"], 5)
    assert used == {bad: 1, "good": 5} and told == {}


def test_a_host_that_lacks_the_package_costs_one_test(ran):
    used, told = ran(["lacking", "good"], 4)
    assert used == {"lacking": 1, "good": 3} and list(told.values()) == [("error", LACKING)]


def test_hosts_that_cannot_be_reached_cost_no_test(ran):
    used, told = ran(["closed", "closed2", "closed3", "good"], 4)
    assert sum(used.values()) == 3 + 4 and used["good"] == 4 and told == {}


def test_what_one_host_lacks_another_may_have(ran):
    used, told = ran(["without cancel 1", "without fail 2", "good"], 6)
    assert used["good"] == 6 and max(used.values()) == 6 and told == {}


@pytest.mark.parametrize("result", ["cancel", "fail"])
def test_what_no_host_has_is_told_with_the_name_of_each(ran, result):
    used, told = ran([f"without {result} 1", f"without {result} 2"], 3)
    assert set(used.values()) == {3} and {result for result, _ in told.values()} == {result}
    whys = {why for _, why in told.values()}
    each = [f"without {result} {number}: no QEMU {number}" for number in (1, 2)]
    assert whys <= {f"no host has what this test needs ({'; '.join(order)})" for order in (each, each[::-1])}


def test_what_is_lacking_is_an_error_if_a_host_that_may_have_it_cannot_be_used(ran):
    used, told = ran(["without cancel 1", "closed"], 1)
    assert told == {
        "0": ("error", "no host that can be used has what this test needs (without cancel 1: no QEMU 1)")
    } and used == {"without cancel 1": 1, "closed": 1}


def test_a_runner_that_ended_by_itself_is_told_and_its_host_is_used_again(ran):
    used, told = ran(["odd"], 2)
    assert used == {"odd": 2}
    assert set(told.values()) == {("error", "the runner on odd has ended with status 3: last words")}


@pytest.mark.parametrize("host", ["killed", "late", "lost when told"])
def test_what_is_told_already_is_neither_told_nor_run_once_more(ran, host):
    assert ran([host, "good"], 1) == ({host: 1, "good": 0}, {})


def test_nothing_is_waited_for_once_the_end_is_read(ran, monkeypatch):
    monkeypatch.setattr(far_run, "_READ_S", HANGS_S)
    begun_s = time.monotonic()
    assert ran(["late"], 1) == ({"late": 1}, {}) and time.monotonic() < begun_s + HANGS_S


def test_where_no_host_is_left_each_test_says_so(ran):
    _, told = ran(["lost"], 3)
    assert len(told) == 3 and {result for result, _ in told.values()} == {"error"}
    none = "none of the hosts in `spawner.remote.slots` can be used any more (the connection to lost is gone)"
    assert {why for _, why in told.values()} == {none}


def test_a_test_that_takes_its_host_with_it_takes_two_at_most(ran):
    used, told = ran(["lost", "lost2", "good"], 1)
    assert used == {"lost": 1, "lost2": 1, "good": 0}
    ((result, reason),) = told.values()
    assert (result, reason) == ("error", "the connection to lost2 is gone; the result of the test there is unknown")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"spawner.remote.slots": []}, "no host is given; name them in the configuration"),
        (
            {"spawner.remote.slots": ["root@lab1"], "run.status_server_auto": True},
            "hosts need a status server; add --st",
        ),
        ({"spawner.remote.slots": ["a b"], "run.status_server_auto": False}, "'a b' is not [USER@]HOST[:PORT]"),
    ],
)
def test_what_is_lacking_is_said_before_a_test_begins(config, says, monkeypatch):
    monkeypatch.setattr(hosts.importlib.util, "find_spec", lambda name: name)
    assert MigDowntimeHosts(config)._lacking().startswith(says)


def test_a_spawner_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setattr(hosts.importlib.util, "find_spec", lambda name: None)
    assert "avocado-framework-plugin-spawner-remote" in MigDowntimeHosts({})._lacking()


def test_a_slot_is_an_address_or_a_file_and_an_unknown_key_is_refused(tmp_path):
    address = FarHost("me@lab1:2222")
    assert (address.name, address.python) == ("me@lab1:2222", "python3")
    assert {name: address._login[name] for name in ("host", "port", "username")} == {
        "host": "lab1", "port": 2222, "username": "me"
    }  # fmt: skip
    file = tmp_path / "slot.json"
    file.write_text(
        json.dumps({"host": "lab2", "username": "root", "python": "/opt/bin/python", "extra_cmdline": "-4"})
    )
    of_file = FarHost(str(file))
    assert (of_file.name, of_file.python, of_file._login["port"]) == ("root@lab2", "/opt/bin/python", 22)
    assert of_file._login["extra_cmdline"].endswith(" -4")
    for host in (address, of_file):
        assert "-o StrictHostKeyChecking=yes" in host._login["extra_cmdline"]
        assert host._login["user_known_hosts_file"] == "~/.ssh/known_hosts"
    for text in ("[]", "{", '{"host": "lab2"}'):
        file.write_text(text)
        with pytest.raises(UsageError, match="is not a slot of Avocado's remote spawner"):
            FarHost(str(file))


def test_one_helper_serves_all_hosts_that_are_logged_in_to_at_the_same_time(tmp_path, monkeypatch):
    def slowly(name, path):
        time.sleep(0.01)
        return f"/somewhere/{name}"

    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setattr(far_host.shutil, "which", slowly)
    far_host._helper_directory.cache_clear()
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: far_host._helper_apart(), range(4)))
    assert len(set(made)) == 1 and (made[0] / "aexpect_helper").read_text().endswith(
        "setsid /somewhere/aexpect_helper\n"
    )
    far_host._helper_directory.cache_clear()
