# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal: a file of what a reaper has to release, so that the next run can do it if the reaper is killed as well.

Only root has a journal: other users can acquire only a directory for sockets. /run is emptied at boot, and so are the
hugepages. The file is one line, an array of records (records.py). decode() also reads the files of old releases, whose
kinds were the names of classes.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .leases import DURABLE, DirectoryLease, DurableLease, HugepagesLease, Lease, MountLease
from .lock import exclusive
from .records import MalformedRecordError, from_json, to_json

_DIRECTORY = Path("/run/avocado-migdowntime")

_BY_CLASS_NAME: Mapping[str, type[DurableLease]] = {
    "Directory": DirectoryLease,
    "Mount": MountLease,
    "Hugepages": HugepagesLease,
}
"""The kinds of old releases, which were names of classes."""


def encode(leases: Iterable[Lease]) -> bytes:
    """The journal's line: those of the leases that are durable."""
    return json.dumps([to_json(each) for each in leases if isinstance(each, DurableLease)]).encode() + b"\n"


def decode(line: bytes) -> list[DurableLease]:
    """Decode the leases of a line, with the kinds of this release or older ones; empty if a kill left the line empty.

    Raises MalformedRecordError if the line, or any single lease in it, is malformed.
    """
    try:
        records = json.loads(line or b"[]")
    except (ValueError, RecursionError) as error:
        raise MalformedRecordError(f"it is not JSON: {error}") from None
    if not isinstance(records, list):
        raise MalformedRecordError(f"{records!r} is not a list")
    return [from_json(each, {**_BY_CLASS_NAME, **DURABLE}) for each in records]


@dataclass(frozen=True)
class Orphans:
    """What dead reapers left: `leases` to release, those of each reaper oldest first.

    `unreadable` has a sentence for each journal that cannot be read.
    """

    leases: tuple[DurableLease, ...] = ()
    unreadable: tuple[str, ...] = ()


class Journal:
    """The file of one reaper. It is locked as long as the reaper lives, so an unlocked file is an orphan.

    The files and their directory are created and removed only under a lock of /run, so that nobody opens one that is
    being removed.
    """

    def __init__(self) -> None:
        self._file: int | None = None
        self._path = Path()

    def open(self) -> Orphans:
        """Create the file, and take over what dead reapers left: it is written here before their files are removed.

        A journal that this release cannot read is left to the release that wrote it, or to a person. There is no
        journal if this is not root, or if /run is not writable.
        """
        if os.geteuid() != 0:
            return Orphans()
        with exclusive(_DIRECTORY.parent):
            try:
                _DIRECTORY.mkdir(mode=0o700, exist_ok=True)
            except OSError:
                return Orphans()
            leases: list[DurableLease] = []
            orphaned, unreadable = [], []
            for path in _DIRECTORY.iterdir():
                try:
                    if (entries := _orphaned(path)) is not None:
                        leases += entries
                        orphaned.append(path)
                except (OSError, MalformedRecordError) as error:
                    unreadable.append(_left_alone(path, error))
            self._file, name = tempfile.mkstemp(dir=_DIRECTORY)
            self._path = Path(name)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self.write(leases)
            for path in orphaned:
                path.unlink()
        return Orphans(tuple(leases), tuple(unreadable))

    def write(self, leases: Iterable[Lease]) -> None:
        """Replace the file's content by the durable ones of the leases."""
        if self._file is not None:
            # One write of one line, so that a kill leaves either the old line or the new one. A full /run costs only
            # this second line of defence, not the first.
            with suppress(OSError):
                os.pwrite(self._file, encode(leases), 0)

    def close(self) -> None:
        """Remove the file: everything was released."""
        if self._file is not None:
            with exclusive(_DIRECTORY.parent):
                self._path.unlink(missing_ok=True)  # missing if somebody cleared /run meanwhile
                with suppress(OSError):  # other reapers are at work
                    _DIRECTORY.rmdir()
            os.close(self._file)
            self._file = None


def _orphaned(path: Path) -> list[DurableLease] | None:
    """The leases in a journal whose reaper is dead, None if it lives; raises OSError and MalformedRecordError."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        return decode(file.readline())


def _left_alone(path: Path, error: Exception) -> str:
    return (
        f"the journal {path} cannot be read ({error}), so what it names is not released; start the release that "
        "wrote it, or release it by hand and delete the file"
    )
