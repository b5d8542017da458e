# SPDX-License-Identifier: GPL-2.0-or-later
"""`doctor` sees the real host as it is, and asks another one over there."""

import asyncio
import os
import subprocess
import sys
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from avocado_migdowntime.basics.run_directory import LeftFiles, RunDirectory, left_files, temporary_places
from avocado_migdowntime.doctor import probing, reading
from avocado_migdowntime.doctor.checks import check_host
from avocado_migdowntime.doctor.host import Lock, OtherHost
from avocado_migdowntime.doctor.host_check import State
from avocado_migdowntime.doctor.others import look_at, look_between, reach
from avocado_migdowntime.doctor.reading import read_lock, read_pages
from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.host.one_at_a_time import NAME
from avocado_migdowntime.host.pool import pools
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.place import Here
from avocado_migdowntime.remote import ssh
from avocado_migdowntime.remote.ssh import Connected

from ..support.agents import sent
from ..support.made_up_host import GOOD, MIB


@pytest.mark.parametrize(
    ("given", "sides", "here"),
    [
        ({"qemu": "/a", "qemu_destination": "/b"}, 2, ("/a", "/b")),
        ({"qemu": "/a", "qemu_destination": "/b", "source_host": "lab1"}, 1, ("/b", None)),
        ({"qemu": "/a", "source_host": "lab1"}, 1, ("/a", None)),
        ({"qemu": "/a", "qemu_destination": "/b", "destination_host": "lab2"}, 1, ("/a", None)),
        ({"qemu": "/a", "source_host": "lab1", "destination_host": "lab2"}, 0, (None, None)),
    ],
)
def test_of_this_host_is_asked_what_runs_on_it(given, sides, here):
    default = parse(given)
    own = probing._of_this_host(default)
    assert (own.qemu, own.qemu_destination) == here
    assert probing._pages_needed(default) == (0, sides * 128)
    assert probing._pages_needed(replace(default, page_size=4096)) == (sides * default.ram, 0)


def test_another_host_is_asked_over_there(monkeypatch, tmp_path):
    """What answers is run by a python3 of this host, in whose place it stands."""

    @asynccontextmanager
    async def connected(address):
        if address.host == "lab1":
            raise HostRequirementError("the host lab1 cannot be reached by SSH: x")
        async with sent() as (conversation, _):
            conversation.facts["identity"] = "another"
            yield Connected(conversation, *4 * ["127.0.0.1"])

    async def look(**given):
        default = parse({"arch": "x86_64", "qemu": "/no/such", "destination_host": "lab2", **given})
        with HostResources() as resources, ExitStack() as stack:
            here = Here(resources, stack, tmp_path)
            async with AsyncExitStack() as connections:
                reached = await reach(connections, default, here, lambda _: None)
                seen = await look_at(reached, default, tmp_path, resources)
                return seen, await look_between(reached, here, lambda _: None)

    monkeypatch.setattr(ssh, "connected", connected)
    (lab1, lab2), network = asyncio.run(look(source_host="lab1", page_size="2M"))
    assert lab1 == OtherHost("lab1", fault="the host lab1 cannot be reached by SSH: x") and network is None
    assert (lab2.fault, lab2.root, lab2.small_pages_bytes) == ("", os.geteuid() == 0, 0)
    assert lab2.qemu.fault.startswith("far has no QEMU /no/such; give with `qemu_destination` the path")
    assert lab2.cpu.usable == reading.read_cpu().usable and lab2.cpu.governors == reading.read_cpu().governors
    here = {pages.page_size_bytes: pages for pages in read_pages(2 * MIB, 128, True)}[2 * MIB]
    assert (lab2.pages.needed, lab2.pages.may_grow) == (128, here.may_grow)
    assert lab2.pages.missing == max(0, 128 - lab2.pages.counters.available)


def test_the_pools_of_this_host_are_seen():
    seen = {pages.page_size_bytes: pages for pages in read_pages(2 * MIB, 10**9, True)}
    assert list(seen) == [pool.page_size_bytes for pool in pools()]
    huge = seen[2 * MIB]
    assert huge.missing == 10**9 - huge.counters.available
    assert not any(pages.may_grow for pages in read_pages(2 * MIB, 10**9, False))
    assert sum(node.total for node in huge.nodes) == huge.counters.total


def test_the_holder_of_the_lock_is_found():
    name = NAME + "-test"
    bind = f"import socket, time; s = socket.socket(socket.AF_UNIX); s.bind({name!r})"
    program = f"{bind}; print(flush=True); time.sleep(60)"
    assert read_lock((name,)) == Lock(False)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        try:
            ((pid, command),) = read_lock((f"{NAME}-none", name)).holders
            assert pid == holder.pid and command.startswith(sys.executable) and len(command) <= 61
        finally:
            holder.kill()


def test_what_runs_have_left_is_found_but_for_what_is_in_use(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert temporary_places() == (tmp_path, Path("/tmp"), Path("/var/tmp"))
    (tmp_path / "avocado-migdowntime-link").symlink_to(tmp_path)
    with RunDirectory(None) as first:
        (first.path / "data").mkdir()
        (first.path / "data" / "trace.jsonl").write_bytes(bytes(1000))
        first.keep()
    with RunDirectory(None) as second:
        (second.path / "qmp.log").write_bytes(bytes(7))
        second.keep()
        os.utime(second.path, (0, 0))
        assert left_files(0, [tmp_path]) == (LeftFiles(str(first.path), 1000, 0),)
    os.utime(first.path, (50, 50))
    assert left_files(60, [tmp_path]) == (LeftFiles(str(second.path), 7, 60), LeftFiles(str(first.path), 1000, 10))


def test_an_interruption_waits_for_every_trial_to_clean_up():
    cleaned_up = []

    async def slow_to_end():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            cleaned_up.append(True)

    async def interrupted():
        trials = asyncio.create_task(probing._together(asyncio.sleep(60), slow_to_end()))
        await asyncio.sleep(0.05)
        trials.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trials
        return list(cleaned_up)

    assert asyncio.run(interrupted()) == [True]


def test_what_is_installed_is_held_against_what_is_required(monkeypatch):
    seen = {version.name: version for version in reading.read_versions()}
    assert seen["migdowntime"].fits and seen["numpy"].requirement == "numpy==2.*" and seen["numpy"].fits
    assert seen["python"].installed == ".".join(map(str, sys.version_info[:3])) and "pytest" not in seen
    monkeypatch.setattr(reading, "DISTRIBUTION", "no-such-distribution")
    absent = next(check_host(replace(GOOD, versions=reading.read_versions())))
    assert (absent.state, absent.mend) == (State.FAULT, "pip install .")
