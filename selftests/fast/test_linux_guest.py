# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux as the guest: what is refused before anything is made."""

import pytest

from avocado_migdowntime.basics.cache import cache_directory
from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.linux.cpio import initramfs

from ..support.linux_guest import image

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_a_host_without_debians_tools_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        HostRequirementError, match="^this host has no apt-get, needed to get a Linux guest's kernel from Debian"
    ):
        image("ppc64", [])
    assert list(cache_directory().iterdir()) == []


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(
        HostRequirementError, match=r"cannot be kept in .* \(Not a directory\); remove that, or set XDG_CACHE_HOME"
    ):
        image("ppc64", [])


def test_an_initramfs_is_the_same_for_the_same_programs():
    programs = {"init": b"#!", "bin/dirtier": b"abc", "bin/busybox": b"12345"}
    assert initramfs(programs) == initramfs(programs) != initramfs({**programs, "init": b"#?"})
