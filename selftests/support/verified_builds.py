# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds for tests of `verify`, and settings that keep it short."""

import shutil
import subprocess

from avocado_migdowntime.faults.catalogue import named_fault
from avocado_migdowntime.faulty.launcher import write
from avocado_migdowntime.qemu.probe import find_binary

from .avocado_command import command
from .documented import write_settings
from .waiting import HANGS_S

BINARY = shutil.which("qemu-system-ppc64")
SHORT = "accel = tcg\npage_size = 4K\nregion = 18M\npasses = 1\nintegrity = no\n"
"""Settings with which a run takes two seconds less."""


def settle(home):
    """Write these settings for the user of this home."""
    write_settings(home, SHORT)


def old_and_new(home):
    """A directory with the user's settings, with `old/build` and with a `new/build` that is 10 % off."""
    binary = find_binary(None, "ppc64")
    settle(home)
    for name in ("old", "new"):
        (home / name / "build").mkdir(parents=True)
    (home / "old" / "build" / "qemu-system-ppc64").symlink_to(binary)
    write(home / "new" / "build" / "qemu-system-ppc64", named_fault("factor=0.9"), binary)
    return home


def avocado(home, *arguments):
    """Run `avocado` in this home; standard output and error are separate."""
    line, environment = command(home, *arguments)
    return subprocess.run(line, cwd=home, env=environment, capture_output=True, text=True, timeout=HANGS_S, check=False)
