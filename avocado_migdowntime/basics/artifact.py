# SPDX-License-Identifier: GPL-2.0-or-later
"""Archives given by a URL: fetched into a file, within limits of size and time."""

import time
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from ..errors import UsageError

_SCHEMES = ("http://", "https://")
MOST_BYTES = 1 << 30
_CHUNK_BYTES = 1 << 16
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
    opener = urllib.request.build_opener(_NeverLessSafe)
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "avocado-migdowntime"})
        with opener.open(request, timeout=_SILENT_S) as answer, file.open("xb") as opened:
            until_s, size_bytes = time.monotonic() + LONGEST_S, 0
            while chunk := answer.read1(_CHUNK_BYTES):
                size_bytes += len(chunk)
                if size_bytes > MOST_BYTES:
                    raise UsageError(f"{url} holds more than {MOST_BYTES >> 20} MiB; give the results of fewer jobs")
                if time.monotonic() > until_s:
                    raise UsageError(f"{url} takes longer than {LONGEST_S:.0f} s; download it, and give the file")
                opened.write(chunk)
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or error
        why = getattr(why, "strerror", None) or why
        raise UsageError(f"{url} cannot be fetched ({why}); give the URL of a .tar.gz of jobs' results") from None


class _NeverLessSafe(urllib.request.HTTPRedirectHandler):
    """Follows redirects over HTTP, but never from HTTPS to plain HTTP."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        if not is_url(newurl) or (req.full_url.lower().startswith("https:") and newurl.lower().startswith("http:")):
            raise ValueError(f"it redirects to {newurl}, which is less safe")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
