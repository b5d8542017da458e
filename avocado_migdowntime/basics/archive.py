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
from typing import Any

from ..errors import UsageError
from .artifact import fetch, is_url

ENDINGS = (".tar.gz", ".tgz")
MOST_BYTES = 4 << 30
"""The most bytes of an unpacked archive, whether they are needed or not."""
MOST_FILES = 100_000
_MOST_AT_ONCE_BYTES = 1 << 20
"""Contents are copied in pieces of this size."""
_MOST_HEADER_BYTES = 1 << 16
"""The most bytes that the headers of one file may take together."""
_TOO_MANY_DIGITS = re.compile(rb"\d{300}")
"""More digits than a name has. Older releases of tarfile take a time that grows with the square of their number."""
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
        with gzip.GzipFile(file) as unzipped:
            made: set[Path] = set()
            for count, (name, size_bytes) in enumerate(_members(unzipped, place)):
                if count + len(made) >= MOST_FILES:
                    raise UsageError(
                        f"{place} holds more than {MOST_FILES} files and directories; give the results of fewer jobs"
                    )
                parts = _parts(name, place)
                if size_bytes is not None and needed.fullmatch(parts[-1]):
                    path = directory.joinpath(*parts)
                    made.update(path.parents)
                    _write(path, unzipped, size_bytes, place)
    except gzip.BadGzipFile:
        instead = "the URL of the file itself, where no login is asked for" if is_url(place) else "what tar -czf makes"
        raise UsageError(f"{place} is no .tar.gz, but perhaps a web page or a .zip; give {instead}") from None
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise UsageError(f"{place} is not a complete archive ({error}); make one with tar -czf") from None
    except (OverflowError, ValueError):
        raise UsageError(f"{place} has a header that is damaged or too large; make it with tar -czf") from None
    except OSError as error:
        raise UsageError(f"{place}: {error.strerror}; give an archive of jobs' results, made with tar -czf") from None


def _members(unzipped: gzip.GzipFile, place: str) -> Iterator[tuple[str, int | None]]:
    """The name of each member of an archive, and its size if it is a plain file, whose content follows in `unzipped`.

    Links, devices and pipes are none, nor are sparse files, which grow when read.
    """
    headers: Any = _Headers(unzipped, place)
    with tarfile.open(fileobj=headers, mode="r:") as opened:
        archive: Any = opened
        while member := archive.next():
            plain = member.isreg() and not member.issparse()
            if plain:
                headers.check(member.offset_data + member.size)
            yield member.name, member.size if plain else None
            archive.members.clear()
            archive.pax_headers.clear()
            headers.read_bytes = 0


def _parts(name: str, place: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    long = len(parts) > _MOST_PARTS or any(len(os.fsencode(part)) > _LONGEST_PART for part in parts)
    if name.startswith("/") or ".." in parts or "\0" in name or long:
        raise UsageError(f"{place} names {name[:200]!r}, a path that leads out of it or is too long; nothing is read")
    return parts or ["."]


def _write(path: Path, source: gzip.GzipFile, size_bytes: int, place: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = path.open("xb")
    except FileExistsError:
        raise UsageError(f"{place} holds {path.name} twice in one place; make it with tar -czf") from None
    with file:
        while size_bytes > 0:
            data = source.read(min(size_bytes, _MOST_AT_ONCE_BYTES))
            if not data:
                raise EOFError("unexpected end of data")
            size_bytes -= file.write(data)


class _Headers:
    """What tarfile reads of an archive: headers only, little for each file, and never twice."""

    def __init__(self, file: gzip.GzipFile, place: str) -> None:
        self._file = file
        self._place = place
        self.read_bytes = 0
        """How much of this file's headers has been read."""

    def read(self, size: int) -> bytes:
        """Read that many bytes."""
        self.read_bytes += size
        data = self._file.read(size) if size >= 0 and self.read_bytes <= _MOST_HEADER_BYTES else None
        if data is None or _TOO_MANY_DIGITS.search(data):
            raise ValueError
        return data

    def seek(self, position: int) -> int:
        """Move forward to that position."""
        if position < self._file.tell():
            raise ValueError
        self.check(position)
        return self._file.seek(position)

    def tell(self) -> int:
        """The current position."""
        return self._file.tell()

    def check(self, position: int) -> None:
        """Raise UsageError if an archive that goes as far as `position` is too large."""
        if position > MOST_BYTES:
            raise UsageError(
                f"{self._place} holds more than {MOST_BYTES >> 30} GiB unpacked, which is too much; give the results "
                "of fewer jobs"
            )
