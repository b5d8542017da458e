# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines that docs/ci.md adds to QEMU's tests/functional/meson.build, in a project with what they need of QEMU's."""

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
emulators = {}
"""
_EMULATOR = (
    "emulators += {{'{name}': custom_target(output: '{name}', command: ['ln', '-sf', '{binary}', '@OUTPUT@'])}}\n"
)


def run_by_meson(directory: Path, emulators: Mapping[str, Path]) -> tuple[int, str]:
    """The exit status of `meson test` with these QEMUs, by name, and its whole output."""
    [lines] = re.findall(r"```meson\n(.*?)```", (TOP / "docs/ci.md").read_text(), re.DOTALL)
    assert _INTERPRETER in lines
    made = (_EMULATOR.format(name=name, binary=binary) for name, binary in emulators.items())
    (directory / "meson.build").write_text(_PROJECT + "".join(made) + lines.replace(_INTERPRETER, sys.executable))
    build = str(directory / "build")
    _meson(directory, "setup", build)
    done = _meson(directory, "test", "-C", build, "--verbose", status=None)
    return done.returncode, done.stdout + done.stderr


def _meson(directory: Path, *words: str, status: int | None = 0) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(directory), "PYTHONPATH": str(TOP)}
    environment["TMPDIR"] = str(directory)
    line = [sys.executable, "-m", "mesonbuild.mesonmain", *words]
    done = subprocess.run(line, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert status is None or done.returncode == status, done.stdout + done.stderr
    return done
