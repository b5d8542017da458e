# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the tests, variants and guest images lie: inside an installed package, beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def directory(name: str) -> Path:
    """The directory ``tests``, ``variants`` or ``images`` that belongs to this package."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def packaged_tests() -> dict[str, Path]:
    """The files of the tests, by the test's name."""
    return {path.stem.replace("_", "-"): path for path in sorted(directory("tests").glob("*.py"))}
