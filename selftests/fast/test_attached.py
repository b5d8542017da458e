# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said where a QMP socket of somebody else's QEMU cannot be used."""

import asyncio
import errno
import socket

import pytest
from qemu.qmp import ConnectError

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.record.attached import AttachedQemu

EXPECTED = "expected the QMP socket of a running QEMU, PATH or HOST:PORT"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("/run/q", "/run/q"),
        ("unix:/run/q", "/run/q"),
        ("unix:/run/q,server=on,wait=off", "/run/q"),
        ("unix:4444", ("unix", 4444)),
        ("some:4444", ("some", 4444)),
        (":4444", ("localhost", 4444)),
        ("tcp:some:4444,server,nowait", ("some", 4444)),
        ("tcp:4444", ("tcp", 4444)),
    ],
)
def test_an_address_may_be_written_as_in_the_option_of_qemu(name, address, monkeypatch):
    asked = []
    qemu = AttachedQemu(name, lambda line: None)

    async def connect(address):
        asked.append(address)
        raise ConnectError("Failed to establish connection", OSError(errno.ECONNREFUSED, ""))

    monkeypatch.setattr(qemu.qmp, "connect", connect)
    with pytest.raises(UsageError, match=f"^{name}: Connection refused; "):
        asyncio.run(qemu.__aenter__())
    assert asked == [address]


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("4711", r"; of a process, `tr '\0' '\n' </proc/4711/cmdline | grep -A1 qmp` shows those that it has"),
        ("guest1", "; of a guest of libvirt, give its URI and name: qemu:///system guest1"),
        ("no/guest1", ""),
    ],
)
def test_a_name_that_no_socket_has_is_answered_with_what_it_may_be(name, instead, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as raised:
        asyncio.run(AttachedQemu(name, lambda line: None).__aenter__())
    assert str(raised.value) == f"{name}: No such file or directory; {EXPECTED}{instead}"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        # asyncio has sentences of its own in place of the system's.
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 4444)"), f"Connection refused; {EXPECTED}"),
        (OSError(errno.ENOENT, "No such file or directory"), f"No such file or directory; {EXPECTED}"),
        (OSError("Multiple exceptions: a, b"), f"Multiple exceptions: a, b; {EXPECTED}"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), f"Name or service not known; {EXPECTED}"),
        (
            OSError(errno.EACCES, "Permission denied"),
            "Permission denied; a QMP socket is for the user of its QEMU and for root; run this as one of them",
        ),
    ],
    ids=["refused", "missing", "several", "unknown", "forbidden"],
)
def test_a_socket_that_cannot_be_used_is_answered_with_what_to_try(error, says, monkeypatch):
    qemu = AttachedQemu("some:4444", lambda line: None)

    async def connect(address):
        raise ConnectError("Failed to establish connection", error)

    monkeypatch.setattr(qemu.qmp, "connect", connect)
    with pytest.raises(UsageError) as raised:
        asyncio.run(qemu.__aenter__())
    assert str(raised.value) == f"some:4444: {says}"


@pytest.mark.parametrize("host", ["..", "a" * 64], ids=["empty", "long"])
def test_a_name_that_no_host_can_have_is_none_of_a_qemu_that_speaks_something_else(host):
    with pytest.raises(UsageError) as raised:
        asyncio.run(AttachedQemu(f"{host}:1", lambda line: None).__aenter__())
    assert str(raised.value) == f"{host}:1 has a host name that no host can have; {EXPECTED}"
