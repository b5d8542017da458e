# SPDX-License-Identifier: GPL-2.0-or-later
"""What is read of apt's words, and the sources that follow from the host's own."""

import asyncio
from pathlib import Path

import pytest

from avocado_migdowntime.debian.apt import Apt, cause
from avocado_migdowntime.debian.suite import Download, download, is_name, sources

# As `apt-get update --print-uris` prints them.
INDICES = """\
'http://mirror.example/debian/dists/bookworm/InRelease' mirror.example_debian_dists_bookworm_InRelease 0
'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' a 0
'http://mirror.example/debian/dists/bookworm/main/binary-all/Packages.xz' b 0
'http://mirror.example/debian/dists/bookworm/contrib/binary-amd64/Packages.xz' c 0
'http://mirror.example/debian/dists/bookworm-updates/main/binary-amd64/Packages.xz' d 0
'http://mirror.example/debian/dists/bookworm-backports/main/binary-amd64/Packages.xz' e 0
'http://mirror.example/debian-security/dists/bookworm-security/main/binary-amd64/Packages.xz' f 0
'https://other.example/dists/nodistro/contrib/binary-amd64/Packages.gz' g 0
"""


def test_the_hosts_own_archives_are_asked_for_another_suite():
    assert sources(INDICES, "bullseye", Path("/keys.gpg")).splitlines() == [
        "deb [signed-by=/keys.gpg target=Packages] http://mirror.example/debian bullseye main",
        "deb [signed-by=/keys.gpg target=Packages] http://mirror.example/debian bullseye-updates main",
        "deb [signed-by=/keys.gpg target=Packages] http://mirror.example/debian-security bullseye-security main",
    ]


def test_backports_have_what_they_rest_on_beside_them():
    assert sources(INDICES, "trixie-backports", None).splitlines() == [
        "deb [target=Packages] http://mirror.example/debian trixie main",
        "deb [target=Packages] http://mirror.example/debian trixie-backports main",
        "deb [target=Packages] http://mirror.example/debian trixie-updates main",
        "deb [target=Packages] http://mirror.example/debian-security trixie-security main",
    ]


def test_a_host_without_sources_has_none():
    assert sources("", "bookworm", None) == ""


def test_a_download_is_counted():
    told = (
        "'http://mirror.example/pool/q/qemu/qemu-system-ppc_7.2_amd64.deb' qemu-system-ppc_1%3a7.2_amd64.deb 7506076 "
        "SHA256:0\n'http://mirror.example/pool/s/seabios/seabios_1.16_all.deb' seabios_1.16_all.deb 100 MD5Sum:0\n"
    )
    assert download(told) == Download(2, 7506176)


@pytest.mark.parametrize("name", ["bookworm", "trixie-backports", "bullseye-backports-sloppy", "sid"])
def test_names_of_suites(name):
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "Bookworm", "../x", "a/b", "bookworm-", "-t", "qemu-system-x86_64", "a b", "x\n"])
def test_what_can_be_no_suites_name(name):
    assert not is_name(name)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("W: a warning\nE: Failed to fetch it.\nE: Some index files failed.\n", "Failed to fetch it"),
        ("tar: oops\ndpkg-deb: error: No space left on device\n", "dpkg-deb: error: No space left on device"),
        ("", "it printed nothing"),
    ],
)
def test_why_a_command_failed(told, why):
    assert cause(told) == why


def test_what_apt_makes_for_a_moment_is_made_where_it_goes_with_the_rest(tmp_path, monkeypatch):
    """Killed, it would leave that there: what it verifies, for one."""
    programs, mine = tmp_path / "bin", tmp_path / "apt"
    programs.mkdir()
    (programs / "apt-get").write_text("#!/bin/sh\nmktemp\n")
    (programs / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    made = asyncio.run(Apt(mine, "a package", "do without").apt("apt-get", "update"))
    assert Path(made.strip()).parent == mine / "tmp"
