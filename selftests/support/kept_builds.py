# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `qemu`, and the QEMUs that it keeps in the cache."""

import argparse
import os
from pathlib import Path

from avocado_migdowntime.basics.cache import cache_directory
from avocado_migdowntime.builds.suite_qemu import SuiteQemu, write_manifest
from avocado_migdowntime.cli import qemu


def run(*arguments):
    parser = argparse.ArgumentParser()
    qemu.configure(parser)
    return qemu.run(parser.parse_args(arguments))


def unpacked(suite, *architectures, release="7.2.22"):
    """A build as `add` leaves it, with only empty launchers."""
    build = SuiteQemu(suite, release, architectures, 12_345_678)
    (build.path / "bin").mkdir(parents=True)
    for arch in architectures:
        build.binary(arch).touch(0o755)
    write_manifest(build, build.path)
    return build


def left():
    """The content of the cache, even while some of it is being deleted."""
    found = [Path(top, name) for top, *within in os.walk(cache_directory()) for names in within for name in names]
    return sorted(str(path.relative_to(cache_directory())) for path in found)
