# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends the files of a test that ran where Avocado does not see them (another host or a container).

From there, Avocado brings back the messages of a test but none of its files. So the runner packs the files into one
archive and sends it in pieces, as messages of Avocado's own type `file`, before the message that the test has ended.
"""

import os
import secrets
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from avocado.core.utils import messages

from ..errors import HostRequirementError

PIECE_BYTES = 1 << 20
"""Avocado's server takes lines of up to 32 MiB, and base64 makes a piece a third larger."""
DATA = "data"
"""The directory where a test leaves its files, below its results (Avocado's `outputdir`)."""
_BEFORE_S = 1e-6
"""Avocado sorts messages by time. The test's process sent the end before its runner could send the files, so these are
dated back by this much.
"""
_ROOM_BYTES = 8 << 20
PREFIX, ENDING = "migdowntime-sent-", ".tar.gz"
"""The name of an archive starts and ends like this; the part between is random."""


def require_room(directory: str) -> None:
    """Raise HostRequirementError if a test cannot leave its files in `directory`, or make temporary ones."""
    try:
        data = Path(directory, DATA)
        data.mkdir(parents=True, exist_ok=True)
        for place in (str(data), tempfile.gettempdir()):
            directory = place
            with tempfile.TemporaryFile(dir=place) as file:
                os.posix_fallocate(file.fileno(), 0, _ROOM_BYTES)
    except OSError as error:
        raise HostRequirementError(
            f"a test needs {_ROOM_BYTES >> 20} MiB for its files in {directory} ({error.strerror}); make room there"
        ) from None


def with_files(runner_messages: Iterable[dict[str, Any]], directory: str | None) -> Iterator[dict[str, Any]]:
    """Yield the `runner_messages` of a test that leaves its results in `directory`, and the test's files as messages.

    Avocado creates that directory before it starts a runner. If it does not exist, this is another file system: then
    the files of the test are inserted before the message of its end, and removed here.
    """
    missing = [each for each in (Path(directory), *Path(directory).parents) if not each.exists()] if directory else []
    if directory is None or not missing:
        yield from runner_messages
        return
    try:
        for message in runner_messages:
            if message.get("status") == "finished":
                yield from _file_messages(Path(directory, DATA), message["time"] - _BEFORE_S)
            yield message
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        # Remove the parent directories created for it, if they are empty.
        for parent in missing[1:]:
            with suppress(OSError):
                parent.rmdir()


def _file_messages(data: Path, time_s: float) -> Iterator[dict[str, Any]]:
    if not data.is_dir():
        return
    name = f"{PREFIX}{secrets.token_hex(8)}{ENDING}"
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6) as archive:
            archive.add(data, DATA, filter=_of_nobody)
        packed.seek(0)
        while piece := packed.read(PIECE_BYTES):
            yield {**messages.FileMessage.get(piece, name), "time": time_s}


def _of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
