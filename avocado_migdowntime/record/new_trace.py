# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace that is being recorded: its file, which appears with the first sample, and how far it is."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..trace.file import TraceWriter
from ..trace.model import ENDED
from ..trace.samples import Sample


class NewTrace:
    """What goes into `file`, and what has gone into it.

    Raises UsageError where such a file is there already or cannot be made. Nothing is there until `open`, nor
    after `close` where no sample was taken.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.samples = 0
        self.status = ""
        self._writer: TraceWriter | None = None
        path = Path(file)
        if path.is_file() or path.is_dir() or (path.is_symlink() and not path.exists()):
            raise UsageError(f"{file} is there already; give another --output, or remove it")
        if not path.exists() and not os.access(path.parent, os.W_OK):
            raise UsageError(f"{file} cannot be made, {path.parent} is no directory to write in; give another --output")

    def open(self, header: Mapping[str, Any]) -> TraceWriter:
        """The writer of the trace, which begins with `header`; raises UsageError where the file cannot be made."""
        try:
            self._writer = TraceWriter(Path(self.file), header)
        except OSError as error:
            raise UsageError(f"{self.file}: {error.strerror}; give another --output") from None
        return self._writer

    def count(self, sample: Sample) -> None:
        """Count a sample that was written."""
        self.samples += 1
        self.status = sample.status

    def close(self) -> None:
        """End the file, if there is one."""
        try:
            if self._writer is not None:
                self._writer.close()
        finally:
            if self._writer is not None and self._writer.is_new and not self.samples:
                Path(self.file).unlink(missing_ok=True)

    @property
    def ended(self) -> bool:
        """Whether the migration has ended, well or not."""
        return self.status in ENDED


def runs(status: str) -> bool:
    """Whether a migration with this status has begun and not ended."""
    return status not in ENDED | {"none"}
