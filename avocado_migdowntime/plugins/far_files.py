# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test left where Avocado does not see it, on another host or in a container, as messages of its runner.

Avocado brings back what a test says there and none of its files. So they are sent as messages of Avocado's own type
`file`, in pieces of one archive, before the one that tells that the test has ended.
"""

import secrets
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from avocado.core.utils import messages

PIECE_BYTES = 1 << 20
"""Avocado's server takes lines of 32 MiB, and base64 makes a third more of a piece."""
DATA = "data"
"""Where a test leaves its files, below its results (Avocado's `outputdir`)."""
_BEFORE_S = 1e-6
"""Avocado takes messages in the order of their times, and the end was told by the test's process, before its runner."""
PREFIX, ENDING = "migdowntime-sent-", ".tar.gz"
"""How the name of such an archive begins and ends, between which it is another each time."""


def with_files(runner_messages: Iterable[dict[str, Any]], directory: str | None) -> Iterator[dict[str, Any]]:
    """The `runner_messages` of a test that leaves its results in `directory`.

    Avocado makes that directory before it starts a runner. Where it is not there, this is another file system: files
    that the test left are among the messages then, before the one of its end, and are removed here.
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
        # Those that were made for it, as far as nothing else is in them.
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
