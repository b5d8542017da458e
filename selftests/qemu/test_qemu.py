# SPDX-License-Identifier: GPL-2.0-or-later
"""Probing binaries, and one real QEMU process from its start to whatever end."""

import asyncio
import os
import platform
import select
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from avocado_migdowntime.errors import HarnessError, HostRequirementError, UsageError
from avocado_migdowntime.qemu.guest import choose_machine
from avocado_migdowntime.qemu.probe import find_binary, probe
from avocado_migdowntime.qemu.process import QemuProcess
from avocado_migdowntime.qemu.profiles import PROFILES

pytestmark = pytest.mark.usefixtures("nothing_left")
BARE = ("-machine", "none", "-nodefaults", "-display", "none")


def run(coroutine):
    return asyncio.run(coroutine)


def installed(arch):
    return find_binary(None, arch)


@pytest.mark.parametrize(("arch", "machine"), [("ppc64", "pseries"), ("x86_64", "q35")])
def test_a_binary_is_asked_what_it_can_do(arch, machine, tmp_path, sockets):
    found = run(probe(installed(arch), tmp_path, sockets))
    said = subprocess.run([installed(arch), "--version"], capture_output=True, text=True, check=True).stdout
    assert f"version {found.release_text}" in said
    assert found.arch == arch and machine in found.machines & found.backed_machines
    assert found.has_kvm == (arch == platform.machine())
    assert "downtime-limit" in found.migrate_parameters and "events" in found.migrate_capabilities


def test_a_renamed_binary_is_known_all_the_same(tmp_path, sockets):
    renamed = tmp_path / "emulator"
    renamed.symlink_to(installed("ppc64"))
    assert run(probe(str(renamed), tmp_path, sockets)).arch == "ppc64"


@pytest.mark.parametrize("program", ["/bin/true", "/bin/cat", "/bin/sh", "/usr/bin/yes"])
def test_a_program_that_is_no_qemu_is_named(program, tmp_path, sockets):
    with pytest.raises(UsageError, match=f"^{program} did not answer as a QEMU does[^\n]*$"):
        run(probe(program, tmp_path, sockets))


def test_a_machine_is_unknown_or_lacking(tmp_path, sockets):
    found = run(probe(installed("x86_64"), tmp_path, sockets))
    profile = PROFILES["x86_64"]
    assert choose_machine(profile, found, None) == "pc"
    assert choose_machine(profile, found, "pc-q35-7.2") == "pc-q35-7.2"
    assert PROFILES["s390x"].family("s390-ccw-virtio-7.2") == "s390-ccw-virtio"
    with pytest.raises(
        HostRequirementError, match="the machine q35 of .* cannot use a memory backend for its RAM, .* newer QEMU"
    ):
        choose_machine(profile, replace(found, backed_machines=frozenset({"pc"})), "q35")
    with pytest.raises(UsageError, match="'pseries' is not known for x86_64; it can be pc, q35"):
        choose_machine(profile, found, "pseries")
    with pytest.raises(HostRequirementError, match=r"has no machine pc-q35-99\.9"):
        choose_machine(profile, found, "pc-q35-99.9")


def test_a_refused_command_says_what_qemu_said(tmp_path, sockets):
    async def refuse():
        async with QemuProcess("one", installed("x86_64"), BARE, tmp_path, sockets) as qemu:
            await qemu.execute("migrate-set-parameters", {"downtime-limit": -5})

    with pytest.raises(HarnessError, match="one QEMU refused migrate-set-parameters: .*downtime"):
        run(refuse())


def test_a_qemu_that_dies_is_reported_with_its_signal(tmp_path, sockets):
    async def die():
        async with QemuProcess("one", installed("x86_64"), BARE, tmp_path, sockets) as qemu:
            os.kill(qemu.pid, signal.SIGABRT)
            await qemu.execute("query-status")

    with pytest.raises(HarnessError, match="one QEMU was ended by SIGABRT during query-status"):
        run(die())


def test_a_qemu_that_does_not_start_is_reported_with_its_words(tmp_path, sockets):
    async def start():
        async with QemuProcess("one", installed("x86_64"), ("-machine", "nonsense"), tmp_path, sockets):
            pass

    with pytest.raises(HarnessError, match="one QEMU ended with status 1 at its start: .*-machine help"):
        run(start())


def test_a_guest_that_never_speaks_does_not_outlive_its_qemu(tmp_path, sockets):
    async def wait():
        async with QemuProcess("one", installed("x86_64"), BARE, tmp_path, sockets) as qemu:
            line = asyncio.ensure_future(qemu.line("hello"))
            await asyncio.sleep(0)
            await qemu.execute("quit")
            await line

    with pytest.raises(HarnessError, match="one QEMU ended with status 0 before the guest had reported"):
        run(wait())


def test_a_killed_harness_takes_its_qemu_along(tmp_path, sockets):
    program = f"""
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from avocado_migdowntime.qemu.process import QemuProcess
async def main(binary, directory, sockets):
    async with QemuProcess("one", binary, {BARE!r}, Path(directory), Path(sockets)) as qemu:
        print(qemu.pid, flush=True)
        await asyncio.sleep(600)
asyncio.run(main(*sys.argv[1:]))
"""
    command = [sys.executable, "-c", program, installed("x86_64"), str(tmp_path), str(sockets)]
    harness = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    qemu = os.pidfd_open(int(harness.stdout.readline()))
    harness.kill()
    harness.wait()
    harness.stdout.close()
    assert select.select([qemu], [], [], 30)[0], "the QEMU outlived its harness"
    os.close(qemu)


def test_cancelling_ends_the_process(tmp_path, sockets):
    async def cancelled():
        async with asyncio.timeout(0.5):
            async with QemuProcess("one", installed("x86_64"), BARE, tmp_path, sockets):
                await asyncio.sleep(600)

    with pytest.raises(TimeoutError):
        run(cancelled())
    assert Path(tmp_path, "one.command").read_text().startswith(installed("x86_64"))


def test_a_wrapper_that_stays_is_ended_with_the_qemu_it_started(tmp_path, sockets):
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\n{installed("x86_64")} "$@"\nexit $?\n')
    wrapper.chmod(0o755)
    assert run(probe(str(wrapper), tmp_path, sockets)).arch == "x86_64"


def test_a_second_cancellation_does_not_cut_the_end_short(tmp_path, sockets):
    async def twice():
        async def hold():
            async with QemuProcess("one", installed("x86_64"), BARE, tmp_path, sockets):
                await asyncio.sleep(600)

        task = asyncio.create_task(hold())
        await asyncio.sleep(0.5)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        await task

    with pytest.raises(asyncio.CancelledError):
        run(twice())
    assert not list(sockets.iterdir())


def test_cancellations_while_it_is_spawned_leave_no_process(tmp_path, sockets):
    """A QEMU that dies unwatched may hold hugepages when they are given back."""

    async def cancelled_after(delay_s):
        async def hold():
            async with QemuProcess("one", installed("x86_64"), BARE, tmp_path, sockets):
                await asyncio.sleep(600)

        task = asyncio.create_task(hold())
        await asyncio.sleep(delay_s)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(task, return_exceptions=True)
        return children()

    def children():
        return {child for path in Path("/proc/self/task").glob("*/children") for child in path.read_text().split()}

    of_other_tests = children()
    for delay_ms in range(30):
        assert run(cancelled_after(delay_ms / 1000)) <= of_other_tests, delay_ms
