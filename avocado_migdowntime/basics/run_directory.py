# SPDX-License-Identifier: GPL-2.0-or-later
"""The directory for a run's files, and the directories that earlier runs left."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import UsageError

_PREFIX = "avocado-migdowntime-"


class RunDirectory:
    """A directory for the files of one run, within a `with` block.

    Given by its `path`, it stays. Otherwise it is a temporary one (in TMPDIR) and is removed after the block, unless
    `keep` was called. Raises UsageError if the given one cannot be created, or is not empty.
    """

    def __init__(self, path: str | None) -> None:
        self._temporary = path is None
        self._stays = not self._temporary
        self._lock = -1
        if path is None:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            # Marks this directory as in use, for `left_files`; the kernel releases the lock with this process.
            self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            return
        self.path = Path(path)
        try:
            self.path.mkdir(0o700, parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise UsageError(f"{path} already has files in it; give a new directory, or an empty one")
        except OSError as error:
            raise UsageError(f"{path} cannot be created: {error.strerror}; give another") from None
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise UsageError(f"{path} is not a writable directory; give another")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._stays:
            shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)

    def keep(self) -> None:
        """Keep the directory, if there is anything in it."""
        self._stays = self._stays or any(self.path.iterdir())

    @property
    def lasting_path(self) -> str | None:
        """Its path if it stays, else None."""
        return str(self.path) if self._stays else None


@dataclass(frozen=True)
class LeftFiles:
    """The temporary directory of a run that is over, its size, and how long ago it was changed."""

    path: str
    size_bytes: int
    age_s: float


def temporary_places() -> tuple[Path, ...]:
    """Where temporary directories are created: Avocado uses /var/tmp unless its user has named another."""
    return tuple(dict.fromkeys(map(Path, (tempfile.gettempdir(), "/tmp", "/var/tmp"))))


def left_files(now_s: float, places: Sequence[Path]) -> tuple[LeftFiles, ...]:
    """Temporary directories of this user's runs that were kept, or left because the run was killed; the oldest first.

    `now_s` is in seconds since the epoch.
    """
    entries = []
    for path in (path for place in places for path in place.glob(f"{_PREFIX}*")):
        with suppress(OSError):  # It may have just been removed, or be in use.
            directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                status = os.fstat(directory)
                if status.st_uid == os.geteuid():
                    fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    entries.append(LeftFiles(str(path), _size_bytes(path), max(0.0, now_s - status.st_mtime)))
            finally:
                os.close(directory)
    return tuple(sorted(entries, key=lambda one: -one.age_s))


def _size_bytes(directory: Path) -> int:
    sizes = []
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                sizes.append(os.lstat(os.path.join(folder, name)).st_size)
    return sum(sizes)
