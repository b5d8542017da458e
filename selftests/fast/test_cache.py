# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept is trusted only where nobody else could have put it."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from avocado_migdowntime.basics.cache import cache_directory, make_private, trusted
from avocado_migdowntime.builds.add import add
from avocado_migdowntime.builds.suite_qemu import binary_of, find
from avocado_migdowntime.errors import HostRequirementError
from avocado_migdowntime.host.resources import HostResources

SOMEBODY = 61234
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what is another user's")


@pytest.fixture(autouse=True)
def empty_cache(own_cache):
    """Each test has a cache of its own, which is not there yet."""


def planted():
    """The launcher of a suite's QEMU in the cache; gives its directory."""
    place = cache_directory() / "qemu" / "bookworm"
    make_private(place)
    (place / "build.json").write_text('{"release": "7.2.0", "architectures": ["ppc64"], "size_bytes": 1}')
    (place / "bin").mkdir()
    (place / "bin" / "qemu-system-ppc64").write_text("#!/bin/sh\n")
    return place


def test_what_is_ones_own_is_used():
    assert binary_of("bookworm", ["ppc64"]) is None
    place = planted()
    assert binary_of("bookworm", ["ppc64"]) == place / "bin/qemu-system-ppc64"
    assert stat.S_IMODE(cache_directory().stat().st_mode) == 0o700


@as_root
@pytest.mark.parametrize("below", [".", "qemu", "qemu/bookworm"])
def test_what_is_another_users_is_not(below):
    place, cache = planted(), cache_directory()
    os.chown(cache / below, SOMEBODY, SOMEBODY)
    with pytest.raises(HostRequirementError) as caught:
        binary_of("bookworm", ["ppc64"])
    where = Path(os.path.realpath(cache / below))
    assert str(caught.value).endswith(
        f" cannot be trusted: {where} is user {SOMEBODY}'s; set XDG_CACHE_HOME to a directory that is yours alone"
    )
    with pytest.raises(HostRequirementError):
        find("bookworm")
    assert place.exists()


@as_root
def test_nor_is_what_lies_in_a_directory_of_another_users(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, SOMEBODY, SOMEBODY)
    (tmp_path / "link").symlink_to(home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "link" / "cache"))
    with pytest.raises(HostRequirementError, match=f"{home} is user {SOMEBODY}'s"):
        cache_directory()


@pytest.mark.parametrize(
    ("mode", "trusts"), [(0o755, True), (0o700, True), (0o777, False), (0o1777, True), (0o757, False)]
)
def test_where_others_may_write_nothing_is_trusted_but_where_each_has_ones_own(mode, trusts):
    planted()
    cache = cache_directory()
    cache.chmod(mode)
    if trusts:
        assert find("bookworm").release == "7.2.0"
    else:
        with pytest.raises(HostRequirementError, match=f"others may write to {cache}; set XDG_CACHE_HOME"):
            find("bookworm")


@as_root
def test_a_group_of_ones_own_may_write(tmp_path):
    tmp_path.chmod(0o775)
    assert trusted(tmp_path) == tmp_path
    os.chown(tmp_path, -1, SOMEBODY)
    with pytest.raises(HostRequirementError, match="others may write to"):
        trusted(tmp_path)


def test_a_cache_is_made_for_its_user_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        make_private(tmp_path / "a/b/c")
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / each).stat().st_mode) for each in ("a", "a/b", "a/b/c")] == [0o700] * 3


def test_without_a_home_there_is_no_cache(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(HostRequirementError, match=r"has no home directory to keep a cache in; set XDG_CACHE_HOME"):
        cache_directory()


@as_root
def test_nothing_is_unpacked_into_what_somebody_planted():
    planted()
    os.chown(cache_directory() / "qemu", SOMEBODY, SOMEBODY)
    before = sorted(cache_directory().rglob("*"))
    with HostResources() as resources, pytest.raises(HostRequirementError, match="cannot be trusted"):
        asyncio.run(add("trixie", ["ppc64"], resources, lambda _: None))
    assert sorted(cache_directory().rglob("*")) == before
