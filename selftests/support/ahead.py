# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts slow preparations before they are needed; they get the CPU time that the tests leave."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import leftovers

_NICE = ["nice", "-n", "15"]


class Begun:
    """A running command."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self._process = process
        self._output = output

    def ended(self) -> tuple[int, str]:
        """Wait for its end; return the exit status and the whole output."""
        return self._process.wait(), self._output.read_text(errors="replace")


@contextmanager
def begun(line: Sequence[str | Path], cwd: Path, environment: Mapping[str, str]) -> Iterator[Begun]:
    """Run the command; it ends with the block. None of its processes counts as one of a run."""
    with tempfile.NamedTemporaryFile(prefix="mdt-ahead-") as output:
        process = subprocess.Popen(
            [*_NICE, *line],
            cwd=cwd,
            env={**environment, **leftovers.NO_RUN},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield Begun(process, Path(output.name))
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
