# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the tests, variants and guest images: inside an installed package, or beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def directory(name: str) -> Path:
    """The directory ``tests``, ``variants`` or ``images`` of this package."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def packaged_tests() -> dict[str, Path]:
    """The files of the packaged tests, by test name."""
    return {path.stem.replace("_", "-"): path for path in sorted(directory("tests").glob("*.py"))}
