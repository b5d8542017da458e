# SPDX-License-Identifier: GPL-2.0-or-later
"""Archives given by a URL: fetched into a file, within limits of size and time."""

import io
import shutil
import time
import urllib.error
import urllib.request
from functools import partial
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from ..errors import UsageError

_SCHEMES = ("http://", "https://")
MOST_BYTES = 1 << 30
_SILENT_S, LONGEST_S = 30.0, 3600.0
"""The longest silence, and the longest total time."""


def is_url(place: str) -> bool:
    """Whether this names something to fetch."""
    return place.lower().startswith(_SCHEMES)


def fetch(url: str, file: Path) -> None:
    """Download `url` into `file`; raises UsageError if that fails, or is too large or too slow, or has a password."""
    _, at, place = url.partition("://")[2].partition("/")[0].rpartition("@")
    if at:
        raise UsageError(
            f"the URL of {place} holds a user or a password, which messages would show; download it, and give the file"
        )
    allowance = _Allowance(url)
    opener = urllib.request.build_opener(_NeverLessSafe, _Bounded(allowance))
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "avocado-migdowntime"})
        with opener.open(request, timeout=_SILENT_S) as answer, file.open("xb") as opened:
            shutil.copyfileobj(answer, opened)
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or error
        why = " ".join(str(getattr(why, "strerror", None) or why).split())
        if isinstance(error, urllib.error.HTTPError):
            why = f"{error.code} {why}"
        raise UsageError(f"{url} cannot be fetched ({why}); give the URL of a .tar.gz of jobs' results") from None


class _NeverLessSafe(urllib.request.HTTPRedirectHandler):
    """Follows redirects over HTTP, but never from HTTPS to plain HTTP; what comes with one is not read."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        if not is_url(newurl) or (req.full_url.lower().startswith("https:") and newurl.lower().startswith("http:")):
            raise ValueError(f"it redirects to {newurl}, which is less safe")
        fp.close()
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Allowance:
    """How much servers may send for `url`, and until when: headers, redirects and all else together."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._left_bytes, self._until_s = MOST_BYTES, time.monotonic() + LONGEST_S

    def take(self, size_bytes: int) -> None:
        """Take so much of it; raises UsageError if it is used up."""
        self._left_bytes -= size_bytes
        if self._left_bytes < 0:
            raise UsageError(f"{self._url} holds more than {MOST_BYTES >> 20} MiB; give the results of fewer jobs")
        if time.monotonic() > self._until_s:
            raise UsageError(f"{self._url} takes longer than {LONGEST_S:.0f} s; download it, and give the file")


class _Bounded(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Speaks HTTP and HTTPS; what comes counts from its first byte, and however slowly it comes."""

    def __init__(self, allowance: _Allowance) -> None:
        super().__init__()
        self._allowance = allowance

    def do_open(self, http_class: Any, req: Any, **options: Any) -> Any:
        def connection(host: str, **more: Any) -> Any:
            opened = http_class(host, **more)
            opened.response_class = partial(_Answer, self._allowance)
            return opened

        return super().do_open(connection, req, **options)


class _Answer(HTTPResponse):
    def __init__(self, allowance: _Allowance, sock: Any, *options: Any, **named: Any) -> None:
        super().__init__(sock, *options, **named)
        self.fp: Any = io.BufferedReader(_Received(self.fp.detach(), allowance))


class _Received(io.RawIOBase):
    def __init__(self, source: io.RawIOBase, allowance: _Allowance) -> None:
        self._source, self._allowance = source, allowance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size_bytes = self._source.readinto(buffer) or 0
        self._allowance.take(size_bytes)
        return size_bytes

    def close(self) -> None:
        self._source.close()
        super().close()
