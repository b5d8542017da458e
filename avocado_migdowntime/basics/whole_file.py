# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are either whole or not there."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import UsageError


def ending(file: str, known: Sequence[str]) -> str:
    """By which of the `known` endings the name of `file` says what it is to be; raises UsageError where by none."""
    suffix = Path(file).suffix.lower().removeprefix(".")
    if suffix not in known:
        endings = ", ".join(f".{known_ending}" for known_ending in known)
        raise UsageError(f"{file}: unsupported file type; use one of {endings}")
    return suffix


def write(file: str, data: bytes) -> None:
    """Put `data` into `file` at one go: what was there before stays until all is written.

    What is no ordinary file, such as a pipe, is written to directly. Raises UsageError where it cannot be written.
    """
    target = Path(os.path.realpath(file))
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        partly = target.with_name(f".migdowntime-{os.getpid()}.part")
        try:
            with partly.open("xb") as opened:
                opened.write(data)
            partly.replace(target)
        finally:
            with suppress(FileNotFoundError):
                partly.unlink()
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be written: {error.strerror}; name a file in a directory that can be"
        ) from None
