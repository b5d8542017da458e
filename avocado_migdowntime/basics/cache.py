# SPDX-License-Identifier: GPL-2.0-or-later
"""The directory for cached files, from which programs are run: nobody else may be able to put anything there."""

import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import HostRequirementError

_MEND = "set XDG_CACHE_HOME to a directory that is yours alone"


def cache_directory() -> Path:
    """`$XDG_CACHE_HOME/avocado_migdowntime`, by default below `~/.cache`.

    Raises HostRequirementError if there is none, and as `trusted` does.
    """
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return trusted(Path(home).expanduser().absolute() / "avocado_migdowntime")
    except RuntimeError:
        raise HostRequirementError(
            f"the user {os.geteuid()} has no home directory to keep a cache in; {_MEND}"
        ) from None


def trusted(path: Path) -> Path:
    """Return `path`; raises HostRequirementError if users other than this one and root could have put something there.

    These are the owners of the path and its parent directories, and those who may write to one of them. In a sticky
    directory such as /tmp, everybody may write but nobody can change what is somebody else's.
    """
    for each in _on_the_way(path):
        status = each.stat()
        if status.st_uid not in (0, os.geteuid()):
            raise HostRequirementError(f"{path} cannot be trusted: {each} is user {_name(status.st_uid)}'s; {_MEND}")
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        by_others = status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and _is_shared(status))
        if by_others and not sticky:
            raise HostRequirementError(f"{path} cannot be trusted: others may write to {each}; {_MEND}")
    return path


def make_private(path: Path) -> None:
    """Create the directory `path` and its missing parents, for this user only.

    Raises OSError.
    """
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    if not path.exists():
        make_private(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def _on_the_way(path: Path) -> Iterator[Path]:
    """`path` and its parent directories, with links resolved, as far as they exist."""
    real = Path(os.path.realpath(path))
    return (each for each in (real, *real.parents) if each.exists())


def _is_shared(status: os.stat_result) -> bool:
    """Whether the group is not the user's private one, which many distributions create for each user."""
    try:
        group, name = grp.getgrgid(status.st_gid), pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return status.st_gid != status.st_uid
    return group.gr_name != name or bool(set(group.gr_mem) - {name})


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
