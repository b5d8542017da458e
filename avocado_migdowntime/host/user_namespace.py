# SPDX-License-Identifier: GPL-2.0-or-later
"""User namespaces: in one, an ordinary user is root over his own networks, and over nothing else.

See user_namespaces(7). Kernels, distributions and containers each have their own ways to forbid them.
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from .netns import CLONE_NEWUSER, unshare

_SYSCTLS = Path("/proc/sys")
_SELF = Path("/proc/self")


@dataclass(frozen=True)
class _Switch:
    """A kernel setting that forbids user namespaces at the value `closed`, and allows them at `opened`."""

    name: str
    closed: str
    opened: str

    @property
    def is_closed(self) -> bool:
        try:
            return (_SYSCTLS / self.name.replace(".", "/")).read_text().strip() == self.closed
        except OSError:  # This kernel or distribution does not have it.
            return False


_SWITCHES = (
    _Switch("kernel.unprivileged_userns_clone", "0", "1"),
    _Switch("user.max_user_namespaces", "0", "10000"),
    _Switch("user.max_net_namespaces", "0", "10000"),
    _Switch("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
)
"""The first is Debian's and the last Ubuntu's; every kernel has the others, see namespaces(7)."""


def become_root() -> None:
    """Move this process, which must have a single thread, into a new user namespace, as its root.

    To the rest of the host it stays the same user, with the same files and processes. Raises OSError.
    """
    uid, gid = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER)
    (_SELF / "setgroups").write_text("deny")  # Without this, writing the map of groups would need root.
    (_SELF / "uid_map").write_text(f"0 {uid} 1")
    (_SELF / "gid_map").write_text(f"0 {gid} 1")


def what_forbids(error: OSError) -> tuple[str, str]:
    """Two clauses of a sentence: what forbids this process a network in a user namespace, and what would allow it.

    `error` is the error that showed it.
    """
    for switch in _SWITCHES:
        if switch.is_closed:
            return f"{switch.name} is {switch.closed}", f"as root run `sysctl {switch.name}={switch.opened}`"
    if error.errno == errno.ENOSPC:
        return "the number that user.max_user_namespaces allows is in use", "as root raise it by sysctl"
    if not (_SELF / "ns" / "user").exists():
        return "this kernel was built without CONFIG_USER_NS", "use one that was built with it"
    if "Seccomp:\t2" in (_SELF / "status").read_text():
        return f"{error.strerror}, perhaps by a container's seccomp filter", "start the container with a wider one"
    return str(error.strerror), "see user_namespaces(7)"
