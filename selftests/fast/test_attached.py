# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said where a QMP socket of somebody else's QEMU cannot be used."""

import asyncio
import errno

import pytest
from qemu.qmp import ConnectError

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.record.attached import AttachedQemu

EXPECTED = "expected the QMP socket of a running QEMU, PATH or HOST:PORT"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        # asyncio has sentences of its own in place of the system's.
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 4444)"), f"Connection refused; {EXPECTED}"),
        (OSError(errno.ENOENT, "No such file or directory"), f"No such file or directory; {EXPECTED}"),
        (OSError("Multiple exceptions: a, b"), f"Multiple exceptions: a, b; {EXPECTED}"),
        (
            OSError(errno.EACCES, "Permission denied"),
            "Permission denied; a QMP socket is for the user of its QEMU and for root; run this as one of them",
        ),
    ],
    ids=["refused", "missing", "several", "forbidden"],
)
def test_a_socket_that_cannot_be_used_is_answered_with_what_to_try(error, says, monkeypatch):
    qemu = AttachedQemu("some:4444", lambda line: None)

    async def connect(address):
        raise ConnectError("Failed to establish connection", error)

    monkeypatch.setattr(qemu.qmp, "connect", connect)
    with pytest.raises(UsageError) as raised:
        asyncio.run(qemu.__aenter__())
    assert str(raised.value) == f"some:4444: {says}"
