# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the packaged variants by name."""

import os

from ..basics.alike import meant
from ..basics.resources import directory
from ..errors import UsageError


def located(entry: str) -> str:
    """An `-m` entry `[PATH:]FILE`, with the name of packaged variants replaced by their file.

    An existing file takes precedence over packaged variants of the same name. Raises UsageError if there is neither.
    """
    where, colon, name = entry.rpartition(":")
    if os.path.isfile(entry) or os.path.isfile(name):
        return entry
    packaged = {path.stem: path for path in sorted(directory("variants").glob("*.yaml"))}
    path = packaged.get(name.removesuffix(".yaml"))
    if path is None:
        raise UsageError(f"-m {entry}: no such file or packaged variant; {meant(name, packaged)}")
    return f"{where}{colon}{path}"
