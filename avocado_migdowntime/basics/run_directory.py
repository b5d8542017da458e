# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a run leaves its files."""

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import UsageError

_PREFIX = "avocado-migdowntime-"


class RunDirectory:
    """A directory for the files of one run, within a `with` block.

    It is `given` by its name and stays, or a temporary one (in TMPDIR) that goes with the block unless `keep` was
    called. Raises UsageError where the one that is given cannot be made, or has something in it already.
    """

    def __init__(self, given: str | None) -> None:
        self._temporary = given is None
        self._stays = not self._temporary
        if given is None:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            return
        self.path = Path(given)
        try:
            self.path.mkdir(0o700, parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise UsageError(f"{given} already has files in it; give a new directory, or an empty one")
        except OSError as error:
            raise UsageError(f"{given} cannot be created: {error.strerror}; give another") from None
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise UsageError(f"{given} is not a writable directory; give another")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._stays:
            shutil.rmtree(self.path, ignore_errors=True)

    def keep(self) -> None:
        """Let it stay, if there is anything in it."""
        self._stays = self._stays or any(self.path.iterdir())

    @property
    def kept(self) -> str | None:
        """Its name, where it stays."""
        return str(self.path) if self._stays else None
