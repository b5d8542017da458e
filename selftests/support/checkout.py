# SPDX-License-Identifier: GPL-2.0-or-later
"""Copies of this checkout, in which something is set up or built."""

import shutil
from pathlib import Path

from .documents import TOP

_NOT_COPIED = shutil.ignore_patterns(
    *(".git", ".venv", "results", "build", "*.egg-info", "__pycache__", ".*_cache", ".mutants", ".hypothesis"),
    *(".coverage*", "avocado_framework_plugin_migdowntime-*"),
)
"""Directories that other processes create there, too: some, such as what setup.py packs, may vanish during a copy."""


def copied(to: Path, *names: str) -> Path:
    """Copy these directories of the checkout, or all of it, to the same place below `to`; return that place."""
    for name in names or (".",):
        shutil.copytree(TOP / name, to / name, ignore=_NOT_COPIED, dirs_exist_ok=True)
    return to
