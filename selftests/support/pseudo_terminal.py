# SPDX-License-Identifier: GPL-2.0-or-later
"""A process on a terminal of any size, whose output is kept."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading

from .waiting import HANGS_S


class OnTerminal:
    """Starts `line` on its own terminal; `shown` is everything that it has written there."""

    def __init__(self, line, columns, lines, **options):
        self._ours, theirs = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            line, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, **options
        )
        self._theirs, self._taken = theirs, []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def shown(self):
        return b"".join(self._taken).decode(errors="replace")

    def resize(self, columns, lines):
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def end(self):
        """Its exit status, whether the terminal was restored, and the last of its output."""
        status = self.process.wait(HANGS_S)
        restored = termios.tcgetattr(self._theirs) == self.before
        os.close(self._theirs)
        self._reader.join(HANGS_S)
        os.close(self._ours)
        return status, restored, self.shown.rpartition("\x1b[?1049l")[2]

    def _read(self):
        while True:
            try:
                data = os.read(self._ours, 1 << 16)
            except OSError:  # Nobody has it open any more.
                return
            if not data:
                return
            self._taken.append(data)
