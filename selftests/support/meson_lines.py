# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/ci.md puts into QEMU's tests/functional/meson.build, in a project that has what it needs of QEMU's."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .documents import TOP

_INTERPRETER = "/opt/migdowntime/bin/python"
_PROJECT = """\
project('qemu-to-be')
roms = []
emulators = {{}}
foreach name : {names}
  emulators += {{name: custom_target(name, output: name, command: ['false'])}}
endforeach
"""


def tested(directory: Path, emulators: Mapping[str, Path]) -> tuple[int, str]:
    """The exit status of `meson test` with these QEMUs, by their names, and all that it printed."""
    [lines] = re.findall(r"```meson\n(.*?)```", (TOP / "docs/ci.md").read_text(), re.DOTALL)
    assert _INTERPRETER in lines
    lines = lines.replace(_INTERPRETER, sys.executable)
    build = directory / "build"
    (directory / "meson.build").write_text(_PROJECT.format(names=list(emulators)) + lines)
    _meson(directory, "setup", "--backend=none", str(build))
    for name, binary in emulators.items():
        (build / name).symlink_to(binary)
    done = _meson(directory, "test", "-C", str(build), "--print-errorlogs", status=None)
    log = build / "meson-logs" / "testlog.txt"
    return done.returncode, done.stdout + done.stderr + (log.read_text() if log.exists() else "")


def _meson(directory: Path, *words: str, status: int | None = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOME": str(directory), "PYTHONPATH": str(TOP)}
    line = [sys.executable, "-m", "mesonbuild.mesonmain", *words]
    done = subprocess.run(line, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert status is None or done.returncode == status, done.stdout + done.stderr
    return done
