# SPDX-License-Identifier: GPL-2.0-or-later
"""What was asked of a QEMU binary is not asked again, as long as that is the same file."""

import asyncio
import os
from pathlib import Path

import pytest

from avocado_migdowntime.basics.cache import cache_directory
from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.qemu import remembered
from avocado_migdowntime.qemu.probe import QemuInfo

pytestmark = pytest.mark.usefixtures("own_cache")
PARAMETERS = {"downtime-limit": 300, "tls-creds": "", "block-incremental": False, "mode": None}
NUMBERS = frozenset({"pseries", "pseries-7.2"})
ALIASES = {"pseries": "pseries-7.2"}
CAPABILITIES = frozenset({"events", "xbzrle"})
KINDS = {"multifd-channels": "int", "multifd-compression": ("none", "zstd")}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The binaries that are asked, in turn; the release that each answers is how often it was."""
    binaries: list[str] = []

    async def probe(binary: str, directory: Path, sockets: Path, within_s: float) -> QemuInfo:
        binaries.append(binary)
        release = (len(binaries), 2, 22)
        return QemuInfo(
            binary,
            release,
            "Debian",
            "ppc64",
            NUMBERS,
            frozenset(),
            ALIASES,
            False,
            PARAMETERS,
            CAPABILITIES,
            KINDS,
            True,
        )

    monkeypatch.setattr(remembered, "probe", probe)
    return binaries


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    return made(tmp_path / "qemu", b"\x7fELF one")


def made(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def known(binary: Path) -> QemuInfo:
    return asyncio.run(remembered.probed(str(binary), Path("/nowhere"), Path("/nowhere"), 9.0))


def test_it_is_asked_once(binary: Path, asked: list[str]) -> None:
    first, second = known(binary), known(binary)
    assert asked == [str(binary)]
    assert first == second
    assert (second.machines, second.migrate_parameters, second.release) == (NUMBERS, PARAMETERS, (1, 2, 22))
    assert (second.migrate_parameter_kinds, second.aliases) == (KINDS, ALIASES)


def test_another_path_to_it_is_asked_for_itself(binary: Path, asked: list[str], tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(binary)
    assert [known(path).binary for path in (binary, link, link)] == [str(binary), str(link), str(link)]
    assert asked == [str(binary), str(link)]


def _grown(binary: Path) -> None:
    made(binary, b"\x7fELF of another size")


def _touched(binary: Path) -> None:
    os.utime(binary, ns=(0, binary.stat().st_mtime_ns + 1))


def _replaced(binary: Path) -> None:
    was = binary.stat()
    other = made(binary.with_name("other"), binary.read_bytes())
    os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
    other.replace(binary)


@pytest.mark.parametrize("change", [_grown, _touched, _replaced])
def test_another_file_under_its_path_is_asked(change, binary: Path, asked: list[str]) -> None:
    known(binary)
    change(binary)
    assert [known(binary).release[0] for _ in range(2)] == [2, 2]


def test_a_script_is_asked_each_time_as_it_may_start_another(tmp_path: Path, asked: list[str]) -> None:
    script = made(tmp_path / "script", b"#!/bin/sh\n")
    assert [known(script).release[0] for _ in range(2)] == [1, 2]
    assert not cache_directory().exists()


def test_a_pipe_is_not_waited_for(tmp_path: Path, asked: list[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert known(tmp_path / "pipe").release[0] == 1


def _files() -> list[Path]:
    return [path for path in cache_directory().rglob("*") if path.is_file()]


def test_a_path_that_is_no_utf_8_is_asked_each_time(tmp_path: Path, asked: list[str]) -> None:
    binary = made(tmp_path / os.fsdecode(b"q\xff"), b"\x7fELF")
    assert [known(binary).release[0] for _ in range(2)] == [1, 2] and _files() == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"fingerprint": 1}'])
def test_what_cannot_be_read_is_not_trusted(content: bytes, binary: Path, asked: list[str]) -> None:
    known(binary)
    (file,) = _files()
    file.write_bytes(content)
    assert [known(binary).release[0] for _ in range(2)] == [2, 2]


def test_what_lacks_something_is_not_trusted(binary: Path, asked: list[str]) -> None:
    known(binary)
    (file,) = _files()
    file.write_bytes(file.read_bytes().replace(b'"has_kvm":false,', b""))
    assert known(binary).release[0] == 2


def test_where_nothing_can_be_kept_it_is_asked_each_time(binary: Path, asked: list[str]) -> None:
    cache_directory().parent.mkdir(parents=True)
    cache_directory().write_text("a file where the directory should be")
    assert [known(binary).release[0] for _ in range(2)] == [1, 2]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what is another user's")
def test_what_another_user_keeps_is_neither_believed_nor_written(binary: Path, asked: list[str]) -> None:
    known(binary)
    (file,) = _files()
    before = file.read_bytes()
    os.chown(file.parent, 61234, 61234)
    assert [known(binary).release[0] for _ in range(2)] == [2, 3]
    assert file.read_bytes() == before


def test_what_is_no_qemu_is_asked_again(binary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object, within_s: float) -> QemuInfo:
        raise UsageError("it did not answer")

    monkeypatch.setattr(remembered, "probe", refused)
    for _ in range(2):
        with pytest.raises(UsageError, match="did not answer"):
            known(binary)
    assert not _files()
