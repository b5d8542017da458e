# SPDX-License-Identifier: GPL-2.0-or-later
"""A libvirt that does not let this user in: it is asked read-only if that helps, else the sentence says what does."""

import asyncio
from types import SimpleNamespace

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.record import libvirt_guest
from avocado_migdowntime.record.libvirt_guest import LibvirtGuest

AUTH_FAILED, AUTH_CANCELLED, AUTH_UNAVAILABLE, INTERNAL, SYSTEM, UNSUPPORTED = 45, 79, 80, 1, 38, 84


class Refused(Exception):
    """What the binding raises."""

    def get_error_code(self):
        """libvirt's number of the error."""
        return self.args[0]

    def __str__(self):
        return self.args[1]


def binding(error, read_only):
    """A binding whose libvirt refuses with `error`, and read-only unless that is a connection."""

    def refuse(uri):
        raise error

    return SimpleNamespace(
        libvirt=SimpleNamespace(
            libvirtError=Refused,
            VIR_ERR_AUTH_FAILED=AUTH_FAILED,
            VIR_ERR_AUTH_CANCELLED=AUTH_CANCELLED,
            VIR_ERR_AUTH_UNAVAILABLE=AUTH_UNAVAILABLE,
            VIR_ERR_OPERATION_UNSUPPORTED=UNSUPPORTED,
            open=refuse,
            openReadOnly=refuse if read_only is None else lambda uri: read_only,
        )
    )


class Arriving:
    """A guest of a connection, on its way to this host."""

    def isActive(self):
        """It is there."""
        return True

    def jobStats(self):
        """What libvirt 9.0 says of one that is arriving."""
        raise Refused(
            UNSUPPORTED, "Operation not supported: migration statistics are available only on the source host"
        )


READ_ONLY = SimpleNamespace(
    getType=lambda: "QEMU", setKeepAlive=lambda every, tries: None, lookupByName=lambda name: Arriving()
)
BY_POLKIT = [
    (AUTH_FAILED, "authentication failed: access denied by policy"),
    (AUTH_CANCELLED, "authentication cancelled: user cancelled authentication process"),
    (AUTH_UNAVAILABLE, "authentication unavailable: no polkit agent available to authenticate"),
    (INTERNAL, "internal error: Unable to get system bus connection: Could not connect: No such file or directory"),
    (SYSTEM, "Failed to connect socket to '/run/libvirt/libvirt-sock': Permission denied"),
]


async def enter():
    """Connect as a command does."""
    async with LibvirtGuest("qemu:///system", "guest", lambda text: None):
        pass


@pytest.mark.parametrize(("code", "why"), BY_POLKIT)
@pytest.mark.parametrize(
    ("read_only", "says"),
    [
        (None, "no permission (.*); run this as root, or as a member of the group libvirt"),
        (READ_ONLY, "still arriving"),
    ],
    ids=["never", "to-read"],
)
def test_who_may_not_manage_it_is_told_or_may_read(code, why, read_only, says, monkeypatch):
    monkeypatch.setattr(libvirt_guest, "binding", lambda: binding(Refused(code, why), read_only))
    with pytest.raises(UsageError, match=says):
        asyncio.run(enter())


def test_a_libvirt_that_is_not_there_is_no_matter_of_permission(monkeypatch):
    why = "Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory"
    monkeypatch.setattr(libvirt_guest, "binding", lambda: binding(Refused(SYSTEM, why), READ_ONLY))
    with pytest.raises(UsageError, match="check that libvirt runs on the migration's source host"):
        asyncio.run(enter())
