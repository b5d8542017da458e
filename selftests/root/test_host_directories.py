# SPDX-License-Identifier: GPL-2.0-or-later
"""Directories on loan: for sockets, and on hugetlbfs."""

import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from avocado_migdowntime.basics.units import format_size
from avocado_migdowntime.errors import HarnessError, HostRequirementError
from avocado_migdowntime.host import hugetlbfs
from avocado_migdowntime.host.hugetlbfs import hugetlbfs_directory
from avocado_migdowntime.host.leases import DirectoryLease
from avocado_migdowntime.host.pool import pools
from avocado_migdowntime.host.resources import HostResources
from avocado_migdowntime.host.workdir import work_directory

pytestmark = pytest.mark.alone


def test_sockets_fit_and_nobody_else_gets_in() -> None:
    with HostResources() as resources, work_directory(resources) as directory:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(directory / ("s" * 80)))
    assert not directory.exists()


def test_each_run_has_its_own_directory() -> None:
    with (
        HostResources() as one,
        HostResources() as other,
        work_directory(one) as first,
        work_directory(other) as second,
    ):
        assert first != second


def test_one_that_is_still_written_to_while_it_is_deleted_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, rmdir = tmp_path / "made", os.rmdir
    made.mkdir()
    written = [made / "late"]

    def rmdir_too_late(*what: Any, **where: Any) -> None:
        if written:
            written.pop().touch()
        rmdir(*what, **where)

    monkeypatch.setattr(os, "rmdir", rmdir_too_late)
    DirectoryLease(str(made)).release()
    assert not made.exists() and not written


def test_hugetlbfs_is_of_the_page_size_and_leaves_nothing() -> None:
    size = pools()[0].page_size_bytes
    with HostResources() as resources:
        if os.geteuid() != 0:
            with (
                pytest.raises(HostRequirementError, match="as root run `mkdir -p "),
                hugetlbfs_directory(resources, size),
            ):
                pass
            pytest.skip("only root can mount; the message that says so was checked")
        with hugetlbfs_directory(resources, size) as directory:
            assert os.statvfs(directory).f_bsize == size
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
            (directory / "left behind").touch()
    assert not directory.exists()
    assert str(directory) not in Path("/proc/mounts").read_text()


def test_a_file_still_open_does_not_keep_the_mount() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount; test_hugetlbfs_is_of_the_page_size_and_leaves_nothing checks the message")
    with HostResources() as resources, hugetlbfs_directory(resources, pools()[0].page_size_bytes) as directory:
        still_open = (directory / "ram").open("wb")
    with still_open:
        assert not directory.exists()
        assert str(directory) not in Path("/proc/mounts").read_text()


def test_without_root_a_mount_of_the_right_page_size_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = pools()[0].page_size_bytes
    usable, elsewhere = tmp_path / "with blank", tmp_path / "other"
    usable.mkdir()
    elsewhere.mkdir()
    mounts = tmp_path / "mounts"
    escaped = str(usable).replace(" ", "\\040")
    mounts.write_text(
        f"none {elsewhere} hugetlbfs rw,relatime,pagesize={format_size(size * 4)} 0 0\n"
        f"none {elsewhere} tmpfs rw,pagesize={format_size(size)} 0 0\n"
        f"none {escaped} hugetlbfs rw,relatime,pagesize={format_size(size)} 0 0\n"
    )
    monkeypatch.setattr(hugetlbfs, "_MOUNTS", mounts)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with HostResources() as resources:
        with hugetlbfs_directory(resources, size) as directory:
            assert directory == usable
        usable.rmdir()
        with pytest.raises(HostRequirementError) as refusal, hugetlbfs_directory(resources, size):
            pass
    name = format_size(size)
    assert str(refusal.value) == (
        f"no hugetlbfs with pages of {name} is mounted for you to write to; as root run "
        f"`mkdir -p /mnt/huge-{name} && mount -t hugetlbfs -o pagesize={name},mode=1777 none /mnt/huge-{name}`"
    )


def test_what_cannot_be_given_back_is_told_at_the_end() -> None:
    sentence = r"^the directory /tmp/.* could not be released \(.*\); release it by hand$"
    with (
        pytest.raises(HarnessError, match=sentence),
        HostResources() as resources,
        work_directory(resources) as directory,
    ):
        directory.rmdir()


def test_what_cannot_be_given_back_does_not_hide_what_went_wrong() -> None:
    with (
        pytest.raises(ZeroDivisionError) as raised,
        HostResources() as resources,
        work_directory(resources) as directory,
    ):
        directory.rmdir()
        raise ZeroDivisionError
    assert "could not be released" in raised.value.__notes__[0]
