# SPDX-License-Identifier: GPL-2.0-or-later
"""Unpacked QEMUs as a table for a person and as JSON fields for a program."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..builds.suite_qemu import SuiteQemu, listed
from .verdict_text import columns


def summary(builds: Sequence[SuiteQemu], width: int | None = None) -> str:
    """A row for each build, or a block for each if a row would be longer than `width`."""
    rows = [("suite", "release", "architectures", "size", "path")]
    rows += [
        (build.suite, build.release, listed(build.architectures), f"{build.size_bytes / 1e6:.0f} MB", str(build.path))
        for build in builds
    ]
    return "\n".join(map(str.rstrip, columns(rows, labels=len(rows[0]), width=width).splitlines()))


def fields(build: SuiteQemu) -> dict[str, Any]:
    """A build as plain JSON values, with the path of each binary."""
    binaries = {arch: str(build.binary(arch)) for arch in build.architectures}
    return {**asdict(build), "path": str(build.path), "binaries": binaries}
