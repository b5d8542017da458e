# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Linux as the guest: how it is made, what it is told, and that QEMU is judged by it as by the dirtier alone."""

import asyncio

import pytest

from avocado_migdowntime.basics.cache import cache_directory
from avocado_migdowntime.errors import HarnessError, HostRequirementError, UsageError
from avocado_migdowntime.forms.file import read
from avocado_migdowntime.qemu.probe import find_binary
from avocado_migdowntime.qemu.process import START_S
from avocado_migdowntime.qemu.remembered import probed
from avocado_migdowntime.verdict.verdict import Judgement

from ..support.linux_guest import image, run

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.mark.alone
@pytest.mark.qemu
def test_a_linux_of_a_foreign_architecture_is_made_once_and_judged_by(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    verdict, told = run(tmp_path, arch="ppc64")
    assert verdict.verdict is Judgement.ACCURATE, verdict
    assert verdict.integrity.intact and verdict.integrity.pages == 5121
    assert verdict.check("guest").code == "went-on"
    made = [line for line in told if line.startswith("making the Linux guest: downloading linux-image-")]
    assert len(made) == 1
    release = made[0].split("linux-image-")[1].split(",")[0]
    assert read(str(tmp_path / "trace.jsonl")).header["guest"] == f"Linux {release}"
    assert f"with Linux {release} on memfd pages of 4K" in verdict.subject
    [kept] = [path for path in cache_directory().iterdir() if path.name != "probed"]
    assert {path.name for path in kept.iterdir()} == {"kernel", "initramfs.gz", "release"}
    monkeypatch.setenv("PATH", "/nowhere")  # Nothing is looked for again.
    told.clear()
    assert (image("ppc64", told).release, told) == (release, [])


@pytest.mark.alone
@pytest.mark.qemu
@pytest.mark.parametrize("guest_page_size", ["", "2M"])
def test_qemu_is_judged_by_a_linux_with_and_without_its_own_hugepages(tmp_path, guest_page_size):
    verdict, _ = run(tmp_path, arch="x86_64", guest_page_size=guest_page_size)
    assert verdict.verdict is Judgement.ACCURATE, verdict
    assert verdict.check("memory").code == "intact" and verdict.check("guest").code == "went-on"
    line = (tmp_path / "source.command").read_text()
    assert ("hugepages=10 -- " in line) == bool(guest_page_size)


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"guest_page_size": "1G"}, "expected as many free hugepages in this guest"),
        ({"region": "1G"}, r"expected at most the \d+ bytes of free memory"),
    ],
    ids=["hugepages", "memory"],
)
def test_what_linux_has_no_room_for_is_said_in_the_guests_own_words(tmp_path, given, words):
    with pytest.raises(UsageError, match=rf"^the guest refused its orders: region=\d+ granule=4096, {words}$"):
        run(tmp_path, arch="x86_64", **given)


@pytest.mark.qemu
def test_a_kernel_that_gives_up_is_quoted(tmp_path):
    with pytest.raises(HarnessError, match=r"before the guest had reported \(Kernel panic - not syncing: .*memory"):
        run(tmp_path, arch="x86_64", guest_page_size="2M", region="200M")


def test_package_sources_that_cannot_be_reached_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    nowhere = tmp_path / "apt.conf"
    nowhere.write_text(f'Dir::Etc::sourcelist "{tmp_path}/none"; Dir::Etc::sourceparts "{tmp_path}/none";')
    monkeypatch.setenv("APT_CONFIG", str(nowhere))
    with pytest.raises(
        HostRequirementError, match="see if this host's package sources can be reached, or use guest=dirtier$"
    ):
        image("ppc64", [])
    assert list(cache_directory().iterdir()) == []


def test_a_run_that_is_given_up_while_the_guest_is_made_leaves_nothing(tmp_path, sockets, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    asyncio.run(probed(find_binary(None, "ppc64"), tmp_path, sockets, START_S))  # On a busy host it takes a second.
    with pytest.raises(HarnessError, match="^given up after 1 s while making the Linux guest"):
        run(tmp_path, arch="ppc64", time_limit="1")
    assert [left.name for left in cache_directory().iterdir()] == ["probed"]  # What the binary can do.
