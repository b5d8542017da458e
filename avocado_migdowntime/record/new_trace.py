# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace that is being recorded: its file, which appears with the first sample, and its state so far."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..trace.file import TraceWriter, Writer
from ..trace.model import checked_header
from ..trace.sample import ENDED, Sample

Show = Callable[[Sample], None]
"""Called with each sample."""


class Nowhere:
    """A writer that keeps only the header."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        self.header = checked_header(header)

    def sample(self, t_s: float, latency_ms: float, answer: Mapping[str, Any], on: str | None = None) -> None:
        """Discard the sample."""

    def event(self, t_s: float, side: str, message: Mapping[str, Any]) -> None:
        """Discard the event."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


class NewTrace:
    """The trace that goes into `file`, if one is given, and what has gone into it so far.

    The file does not exist before `open`, nor after `close` if no sample was taken. Raises UsageError if the file
    already exists or cannot be created.
    """

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.samples = 0
        self.status = ""
        self.is_followed = False
        """Whether another migration began where this one was recorded from, of which nothing is on record."""
        self._writer: Writer | None = None
        if file is None:
            return
        path = Path(file)
        if path.is_file() or path.is_dir() or (path.is_symlink() and not path.exists()):
            raise UsageError(f"{file} exists already; give another --output, or remove it")
        if not path.exists() and not os.access(path.parent, os.W_OK):
            raise UsageError(
                f"{file} cannot be created: {path.parent} is not a writable directory; give another --output"
            )

    def open(self, header: Mapping[str, Any]) -> Writer:
        """The writer of the trace, which starts with `header`; raises UsageError if the file cannot be created."""
        if self.file is None:
            return Nowhere(header)
        try:
            self._writer = TraceWriter(Path(self.file), header)
        except OSError as error:
            raise UsageError(f"{self.file}: {error.strerror}; give another --output") from None
        return self._writer

    def count(self, sample: Sample) -> None:
        """Count a written sample."""
        self.samples += 1
        self.status = sample.status

    def close(self) -> None:
        """Close the file, if there is one."""
        try:
            if self._writer is not None:
                self._writer.close()
        finally:
            writer = self._writer
            if isinstance(writer, TraceWriter) and writer.is_new and not self.samples:
                Path(self.file or "").unlink(missing_ok=True)

    @property
    def ended(self) -> bool:
        """Whether the migration has ended, successfully or not."""
        return self.status in ENDED

    @property
    def is_gone(self) -> bool:
        """Whether no job was shown at last, so that the migration is over, however it ended."""
        return self.status == "none"


def runs(status: str) -> bool:
    """Whether a migration with this status has begun and not ended."""
    return status not in ENDED | {"none"}
