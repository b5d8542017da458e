# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reaper owes, on file, for the next run to settle should the reaper be killed as well.

Only root's is written down: what others can borrow is a directory for sockets. /run is emptied at boot, as
the hugepages are.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .leases import LASTING, Lease
from .lock import exclusive

_DIRECTORY = Path("/run/avocado-migdowntime")


class Journal:
    """The file of one reaper. It is locked as long as the reaper lives: an unlocked one is an orphan.

    Files, and their directory, come and go under a lock of /run only, so that nobody trips over one that is just going.
    """

    def __init__(self) -> None:
        self._file: int | None = None
        self._path = Path()

    def open(self) -> list[Lease]:
        """Make the file, and take over what dead reapers owed: oldest first, already written down here.

        Where /run cannot be written to, there is no journal.
        """
        if os.geteuid() != 0:
            return []
        with exclusive(_DIRECTORY.parent):
            try:
                _DIRECTORY.mkdir(mode=0o700, exist_ok=True)
            except OSError:
                return []
            orphans = {path: owed for path in _DIRECTORY.iterdir() if (owed := _orphaned(path)) is not None}
            self._file, name = tempfile.mkstemp(dir=_DIRECTORY)
            self._path = Path(name)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            inherited = [lease for owed in orphans.values() for lease in owed]
            self.write(inherited)
            for path in orphans:
                path.unlink()
        return inherited

    def write(self, owed: Iterable[Lease]) -> None:
        """Replace what is written; only lasting leases are."""
        if self._file is not None:
            lasting = [{"kind": kind, **vars(each)} for each in owed if (kind := type(each).__name__) in LASTING]
            # One write of one line, so that a kill leaves the old line or the new one, never half of each.
            # A full /run costs this second line of defence, not the first.
            with suppress(OSError):
                os.pwrite(self._file, json.dumps(lasting).encode() + b"\n", 0)

    def close(self) -> None:
        """Remove the file: everything was given back."""
        if self._file is not None:
            with exclusive(_DIRECTORY.parent):
                self._path.unlink()
                with suppress(OSError):  # others are at work
                    _DIRECTORY.rmdir()
            os.close(self._file)
            self._file = None


def _orphaned(path: Path) -> list[Lease] | None:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        try:
            return [_lease(**entry) for entry in json.loads(file.readline() or "[]")]
        except (ValueError, TypeError, KeyError):
            return None  # Another release wrote it: left to that one, or to a person.


def _lease(kind: str, **fields: Any) -> Lease:
    return LASTING[kind](**fields)
