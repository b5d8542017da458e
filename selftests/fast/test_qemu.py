# SPDX-License-Identifier: GPL-2.0-or-later
"""Finding binaries, RAM that a machine refuses, and what the guest is ordered."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from avocado_migdowntime.basics.units import MIB
from avocado_migdowntime.errors import HostRequirementError, UsageError
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.accel import choose_accel
from avocado_migdowntime.qemu.backing import plan
from avocado_migdowntime.qemu.guest import Guest, Orders
from avocado_migdowntime.qemu.planning import check_vcpus, start_bytes
from avocado_migdowntime.qemu.probe import find_binary
from avocado_migdowntime.qemu.profiles import PROFILES


def test_a_missing_binary_is_the_users_when_named_and_the_hosts_when_not(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="/no/such/qemu does not exist"):
        find_binary("/no/such/qemu", "ppc64")
    plain = tmp_path / "plain"
    plain.write_text("")
    with pytest.raises(UsageError, match="is not executable"):
        find_binary(str(plain), "ppc64")
    os.mkfifo(tmp_path / "pipe", 0o700)
    with pytest.raises(UsageError, match="pipe is no regular file; give the path of a qemu-system-ppc64, or"):
        find_binary(str(tmp_path / "pipe"), "ppc64")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        HostRequirementError, match="apt-get install --no-install-recommends qemu-system-ppc \\(or: dnf"
    ):
        find_binary(None, "ppc64")


def test_ram_that_pseries_refuses_is_refused_before():
    with pytest.raises(UsageError, match="300M of RAM is not a multiple of 256M"):
        Guest(
            PROFILES["ppc64"],
            "pseries",
            "tcg",
            "direct",
            300 * MIB,
            plan("anonymous", 4096, 300 * MIB),
            Orders("idle", MIB, 0, 4096),
        )


def test_orders_are_what_the_guest_reads():
    assert str(Orders("random", 24 * MIB, 500, 2 * MIB)) == "pattern=random region=24M rate=500 granule=2M"
    assert str(Orders("hot-cold", 24 * MIB, 0, 4096, 10, 90, (200, 800))) == (
        "pattern=hot-cold region=24M rate=0 granule=4K hot=10 share=90 burst=200/800"
    )


def test_the_region_lies_across_two_numa_nodes_where_there_is_room():
    profile = PROFILES["aarch64"]
    for given, begin in (
        ({"ram": "512M", "region": "20M"}, 246 * MIB),
        ({"ram": "512M", "region": "20M", "granule": "16M"}, 240 * MIB),
        ({"ram": "64M", "region": "40M"}, 16 * MIB),
    ):
        assert start_bytes(profile, parse({**given, "numa_nodes": "2"})) == (1 << 30) + begin
    assert str(Orders("idle", MIB, 0, 4096, start_bytes=4096)).endswith(" granule=4K start=4096")


def test_kvm_has_a_dirty_ring_where_that_is_asked_for():
    of = PROFILES["x86_64"], "pc", "tcg", "direct", 256 * MIB, plan("anonymous", 4096, 256 * MIB)
    for is_wanted, accel in ((True, "kvm,dirty-ring-size=4096"), (False, "kvm")):
        guest = Guest(*of, Orders("idle", MIB, 0, 4096), dirty_ring=is_wanted)
        assert f" -accel {accel} -machine " in " ".join(guest.under("kvm", flush=True).arguments(Path("images")))
        assert " -accel tcg -machine " in " ".join(guest.arguments(Path("images")))


@pytest.mark.parametrize(
    ("dirty_ring", "instead"), [(False, "use accel=tcg"), (True, "leave dirty-limit out, which needs KVM's dirty ring")]
)
def test_where_kvm_is_not_to_be_had_what_goes_without_it_is_advised(dirty_ring, instead):
    of = PROFILES["x86_64"], "pc", "tcg", "direct", 256 * MIB, plan("anonymous", 4096, 256 * MIB)
    guest = Guest(*of, Orders("idle", MIB, 0, 4096), dirty_ring=dirty_ring)
    without, here = SimpleNamespace(has_kvm=False, binary="/q"), SimpleNamespace(name="")
    with pytest.raises(HostRequirementError, match=f"^KVM cannot run this guest here: /q was built .*; {instead}$"):
        asyncio.run(choose_accel("kvm", guest, without, Path(), Path(), Path(), here))


def test_several_vcpus_are_those_of_the_machine_and_of_the_orders():
    orders = Orders("idle", MIB, 0, 4096, vcpus=4)
    assert str(orders).endswith(" granule=4K vcpus=4") and orders.telemetry_fields()["vcpus"] == 4
    of = PROFILES["x86_64"], "pc", "tcg", "direct", 256 * MIB, plan("anonymous", 4096, 256 * MIB)
    assert " -smp 4 -m " in " ".join(Guest(*of, orders).arguments(Path("images")))
    assert "-smp" not in Guest(*of, Orders("idle", MIB, 0, 4096)).arguments(Path("images"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"arch": "arm"},
            r"^the vcpus=4 of a guest of arm cannot all dirty memory; use guest=dirtier and one of arch ppc64, x86",
        ),
        (
            {"arch": "x86_64", "guest": "linux"},
            r"^the vcpus=4 of a Linux guest .*with qemu_arguments='-smp 4'$",
        ),
        ({"arch": "ppc64", "region": "6M", "granule": "2M"}, r"^a region of 3 granules is less than one for each of "),
        ({"arch": "ppc64", "rate": "3"}, r"^rate=3 is less than a page per second for each of vcpus=4; choose a "),
    ],
    ids=str,
)
def test_vcpus_that_cannot_all_dirty_are_refused(given, says):
    parameters = parse({**given, "vcpus": "4"})
    with pytest.raises(UsageError, match=says):
        check_vcpus(PROFILES[parameters.arch], parameters)


def test_vcpus_that_can_all_dirty_are_taken():
    for given in ({"arch": "arm"}, {"guest": "linux", "arch": "ppc64"}, {"arch": "ppc64", "rate": "4", "vcpus": "4"}):
        parameters = parse({"region": "16K", **given})
        check_vcpus(PROFILES[parameters.arch], parameters)
