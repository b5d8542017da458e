# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds out whether a test starts a QEMU: by fake ones on the PATH, and by watching what this process starts."""

import os
import shutil
import sys
from pathlib import Path

from avocado_migdowntime.qemu.profiles import PROFILES

_PRETENDED = """#!/bin/sh
echo "$0 $*" >>"{record}"
exit 97
"""


class Watch:
    """Puts a fake QEMU of each architecture into `directory`, and records each start of one, or of a real one."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "bin"
        self._record = directory / "started"
        self._watching = False
        self.path.mkdir()
        for arch in PROFILES:
            pretended = self.path / f"qemu-system-{arch}"
            pretended.write_text(_PRETENDED.format(record=self._record))
            pretended.chmod(0o755)
        sys.addaudithook(self._audit)

    def begin(self) -> None:
        """Forget what was started before."""
        self._record.unlink(missing_ok=True)
        self._watching = True

    def end(self) -> list[str]:
        """The command lines of the QEMUs that were started since `begin`."""
        self._watching = False
        # From Python 3.13 on, processes that subprocess starts by posix_spawn are reported twice.
        return list(dict.fromkeys(self._record.read_text().splitlines())) if self._record.exists() else []

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._watching and event in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
            program = shutil.which(os.fsdecode(str(arguments[0])))
            if program and _is_qemu(Path(program)):
                with self._record.open("a") as record:
                    words = arguments[1] if isinstance(arguments[1], list | tuple) else [arguments[1]]
                    record.write(f"{program} {' '.join(map(os.fsdecode, words))}\n")


def _is_qemu(program: Path) -> bool:
    """Whether it is a compiled program; tests write scripts of that name."""
    if not program.resolve().name.startswith("qemu-system-"):
        return False
    with program.open("rb") as file:
        return file.read(4) == b"\x7fELF"
