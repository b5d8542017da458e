# SPDX-License-Identifier: GPL-2.0-or-later
"""A trace that is watched while it grows, with or without a file."""

from collections.abc import Mapping
from typing import Any

from ..trace.events import event_of
from ..trace.file import Writer
from ..watching.watcher import Watcher
from .new_trace import NewTrace


class WatchedTrace(NewTrace):
    """Passes the header and the events on to `watcher`; the samples reach the watcher through whoever shows them."""

    def __init__(self, file: str | None, watcher: Watcher) -> None:
        super().__init__(file)
        self._watcher = watcher

    def open(self, header: Mapping[str, Any]) -> Writer:
        """Open the trace, and pass its header on."""
        writer = super().open(header)
        self._watcher.begin(header)
        return _Watched(writer, self._watcher)


class _Watched:
    def __init__(self, writer: Writer, watcher: Watcher) -> None:
        self.header = writer.header
        self.sample, self.close = writer.sample, writer.close
        self._writer, self._watcher = writer, watcher

    def event(self, t_s: float, side: str, message: Mapping[str, Any]) -> None:
        self._writer.event(t_s, side, message)
        self._watcher.event(event_of(t_s, side, message))
