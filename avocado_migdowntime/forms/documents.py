# SPDX-License-Identifier: GPL-2.0-or-later
"""A document of YAML for each entry of a log, as `gcloud logging read` prints them: the newest first."""

import re

from .stamps import stamp_of

_BEGINS = re.compile(rb"^---[ \t\r]*\n", re.MULTILINE)
_AT = re.compile(rb"""^timestamp:[ \t]+['"]?([^'"\s]+)""", re.MULTILINE)


def are_newest_first(text: bytes) -> bool:
    """Whether `text` begins with such documents whose times only fall; of the last one some may be missing."""
    if not text.lstrip().startswith(b"---"):
        return False
    documents = _documents(text)
    times_s = [_time_s(document) for document in documents]
    known_s = [time_s for time_s in times_s if time_s is not None]
    if None in times_s[:-1] or known_s != sorted(known_s, reverse=True):
        return False
    return len({*known_s}) > 1


def turned_round(text: bytes) -> bytes:
    """The documents from the last one on."""
    return b"".join(b"---\n%b\n" % document for document in reversed(_documents(text)))


def _documents(text: bytes) -> list[bytes]:
    return _BEGINS.split(text)[1:]


def _time_s(document: bytes) -> float | None:
    """When an entry was logged."""
    match = _AT.search(document)
    stamp = stamp_of(match[1].decode(errors="replace")) if match else None
    return None if stamp is None else stamp.t_s
