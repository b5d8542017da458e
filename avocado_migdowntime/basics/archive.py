# SPDX-License-Identifier: GPL-2.0-or-later
"""Archives of job results that somebody else made: unpacks what reports need into a temporary directory.

Nothing in an archive decides where a file is written, what it links to, or how much is written.
"""

import gzip
import os
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import UsageError
from .artifact import fetch, is_url

ENDINGS = (".tar.gz", ".tgz")
MOST_BYTES = 4 << 30
"""The most bytes of an unpacked archive, whether they are needed or not."""
MOST_FILES = 100_000
_MOST_AT_ONCE_BYTES = 1 << 20
"""The most bytes read at once: no header of a file is larger, and contents are copied in pieces."""
_MOST_PARTS, _LONGEST_PART = 16, 255
_NEEDED = re.compile(r"results\.json|trace\.jsonl(\.gz)?|verdict\.json|(source|destination)\.command")
"""The names of a job's files that are read."""


@contextmanager
def unpacked(places: Iterable[str]) -> Iterator[dict[str, str]]:
    """Map each archive, and each URL of one, among these places to its directory, which exists during the block.

    Raises UsageError if an archive cannot be used. A UsageError within the block gets the archive's name.
    """
    with tempfile.TemporaryDirectory(prefix="migdowntime-archives-") as temporary:
        directories: dict[str, str] = {}
        for place in dict.fromkeys(places):
            directory = Path(temporary, f"{len(directories)}-jobs")
            if is_url(place):
                fetched = directory.with_suffix(ENDINGS[0])
                fetch(place, fetched)
                directory.mkdir()
                unpack(str(fetched), directory, _NEEDED, place)
                fetched.unlink()
            elif place.endswith(ENDINGS) and not Path(place).is_dir():
                directory.mkdir()
                unpack(place, directory, _NEEDED, place)
            else:
                continue
            directories[place] = str(directory)
        try:
            yield directories
        except UsageError as error:
            raise UsageError(as_given(str(error), directories)) from None


def as_given(text: str, directories: Mapping[str, str]) -> str:
    """The `text` with the names of archives instead of those of the directories into which they were unpacked."""
    for place, directory in directories.items():
        text = text.replace(directory, place)
    return text


def unpack(file: str, directory: Path, needed: re.Pattern[str], place: str) -> None:
    """Unpack the files of an archive whose names match `needed` into `directory`.

    Raises UsageError; its message calls the archive by its `place`.
    """
    try:
        if not Path(file).is_file():
            raise UsageError(f"{place} is not a file; give an archive of jobs' results, made with tar -czf")
        with gzip.GzipFile(file) as unzipped, _tar(unzipped, place) as archive:
            for count, member in enumerate(archive):
                if count >= MOST_FILES:
                    raise UsageError(f"{place} holds more than {MOST_FILES} files; give the results of fewer jobs")
                parts = _parts(member.name, place)
                # Links, devices and pipes are not read, nor are sparse files, which grow when read.
                if not member.isreg() or member.issparse() or not needed.fullmatch(parts[-1]):
                    continue
                content = archive.extractfile(member)
                assert content is not None
                _write(directory.joinpath(*parts), content, place)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, OverflowError, ValueError) as error:
        raise UsageError(f"{place} is not a complete archive ({error}); make one with tar -czf") from None
    except OSError as error:
        raise UsageError(f"{place}: {error.strerror}; give an archive of jobs' results, made with tar -czf") from None


def _tar(unzipped: gzip.GzipFile, place: str) -> tarfile.TarFile:
    limited: Any = _Limited(unzipped, place)
    return tarfile.open(fileobj=limited, mode="r:")


def _parts(name: str, place: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    long = len(parts) > _MOST_PARTS or any(len(os.fsencode(part)) > _LONGEST_PART for part in parts)
    if name.startswith("/") or ".." in parts or "\0" in name or long:
        raise UsageError(f"{place} names {name[:200]!r}, a path that leads out of it or is too long; nothing is read")
    return parts or ["."]


def _write(path: Path, content: IO[bytes], place: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = path.open("xb")
    except FileExistsError:
        raise UsageError(f"{place} holds {path.name} twice in one place; make it with tar -czf") from None
    with file:
        while data := content.read(_MOST_AT_ONCE_BYTES):
            file.write(data)


class _Limited:
    """A file that is read forward, up to a limit."""

    def __init__(self, file: gzip.GzipFile, place: str) -> None:
        self._file = file
        self._place = place

    def read(self, size: int = -1) -> bytes:
        """Read that many bytes."""
        if not 0 <= size <= _MOST_AT_ONCE_BYTES:
            raise UsageError(f"{self._place} has a header that no tar writes; make it with tar -czf")
        self._check(self._file.tell() + size)
        return self._file.read(size)

    def seek(self, position: int) -> int:
        """Move to that position."""
        self._check(position)
        return self._file.seek(position)

    def tell(self) -> int:
        """The current position."""
        return self._file.tell()

    def _check(self, position: int) -> None:
        if position > MOST_BYTES:
            raise UsageError(
                f"{self._place} holds more than {MOST_BYTES >> 30} GiB unpacked, which is too much; give the results "
                "of fewer jobs"
            )
