# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest RAM of each kind: its arguments, what it refuses, and what a real QEMU takes of the host's hugepages."""

import os
from pathlib import Path

import pytest

from avocado_migdowntime.basics.units import GIB, KIB, MIB
from avocado_migdowntime.errors import HostRequirementError, UsageError
from avocado_migdowntime.qemu.backing import plan


@pytest.fixture
def host_of_4k(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4 * KIB}.get)


@pytest.fixture
def host_of_64k(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 64 * KIB}.get)


@pytest.mark.usefixtures("host_of_4k")
@pytest.mark.parametrize(
    ("kind", "page_size", "directory", "needed", "backend"),
    [
        ("anonymous", 4 * KIB, None, 0, "memory-backend-ram,id=ram,size=268435456"),
        ("memfd", 4 * KIB, None, 0, "memory-backend-memfd,id=ram,size=268435456,share=on"),
        (
            "memfd",
            16 * MIB,
            None,
            16,
            "memory-backend-memfd,id=ram,size=268435456,share=on,hugetlb=on,hugetlbsize=16M",
        ),
        (
            "hugetlbfs",
            2 * MIB,
            Path("/mnt/a,b"),
            128,
            "memory-backend-file,id=ram,size=268435456,share=on,mem-path=/mnt/a,,b",
        ),
    ],
)
def test_arguments(kind: str, page_size: int, directory: Path | None, needed: int, backend: str) -> None:
    backing = plan(kind, page_size, 256 * MIB, directory)
    assert backing.object_arguments == ("-object", backend)
    assert (backing.kind, backing.page_size_bytes, backing.hugepages_needed) == (kind, page_size, needed)
    assert backing.machine_options == {"memory-backend": "ram"}


@pytest.mark.usefixtures("host_of_4k")
@pytest.mark.parametrize(
    ("kind", "page_size", "ram", "sentence"),
    [
        (
            "anonymous",
            2 * MIB,
            256 * MIB,
            "anonymous memory has the host's pages of 4K, not 2M; use backing=memfd or "
            "backing=hugetlbfs, or page_size=4K",
        ),
        (
            "hugetlbfs",
            4 * KIB,
            256 * MIB,
            "hugetlbfs has hugepages only, not the host's pages of 4K; use backing=memfd "
            "or backing=anonymous, or a larger page_size",
        ),
        ("memfd", 1 * GIB, 256 * MIB, "256M of RAM is not a multiple of the page size 1G; try ram=1G"),
        ("memfd", 16 * MIB, 100 * MIB, "100M of RAM is not a multiple of the page size 16M; try ram=112M"),
        ("floppy", 4 * KIB, 256 * MIB, "'floppy' is not a backing for guest RAM; use anonymous, hugetlbfs or memfd"),
    ],
)
def test_what_does_not_go_together(kind: str, page_size: int, ram: int, sentence: str) -> None:
    with pytest.raises(UsageError) as refusal:
        plan(kind, page_size, ram, Path("/mnt"))
    assert str(refusal.value) == sentence


@pytest.mark.usefixtures("host_of_64k")
@pytest.mark.parametrize("kind", ["anonymous", "memfd", "hugetlbfs"])
def test_pages_smaller_than_the_hosts(kind: str) -> None:
    with pytest.raises(HostRequirementError) as refusal:
        plan(kind, 4 * KIB, 256 * MIB, Path("/mnt"))
    assert str(refusal.value) == "the host's base page size is 64K, so it has no pages of 4K; use page_size=64K"


@pytest.mark.usefixtures("host_of_64k")
def test_host_pages_of_64k() -> None:
    assert plan("memfd", 64 * KIB, 256 * MIB).hugepages_needed == 0
    with pytest.raises(UsageError, match="^anonymous memory has the host's pages of 64K, not 2M; "):
        plan("anonymous", 2 * MIB, 256 * MIB)


def test_each_numa_node_has_a_part_of_the_ram_and_of_the_hugepages():
    backing = plan("memfd", 2 * MIB, 256 * MIB, nodes=2)
    each = f"size={128 * MIB},share=on,hugetlb=on,hugetlbsize=2M,prealloc=on"
    assert backing.object_arguments == (
        *("-object", f"memory-backend-memfd,id=ram0,{each}"),
        *("-object", f"memory-backend-memfd,id=ram1,{each}"),
    )
    assert backing.numa_arguments == ("-numa", "node,memdev=ram0", "-numa", "node,memdev=ram1")
    assert (backing.machine_options, backing.hugepages_needed, backing.in_one_file) == ({}, 128, False)
    alone = plan("memfd", 4 * KIB, 256 * MIB)
    assert (alone.machine_options, alone.numa_arguments) == ({"memory-backend": "ram"}, ())
    assert alone.in_one_file and not plan("anonymous", 4 * KIB, 256 * MIB).in_one_file
    assert "prealloc" not in "".join(plan("memfd", 4 * KIB, 256 * MIB, nodes=2).object_arguments)


def test_ram_that_cannot_be_divided_is_refused_with_what_can():
    with pytest.raises(
        UsageError, match="256M of RAM is not a multiple of the page size 2M for each of 3 NUMA nodes; "
    ):
        plan("memfd", 2 * MIB, 256 * MIB, nodes=3)
