# SPDX-License-Identifier: GPL-2.0-or-later
"""Splits lines that were several before they were pasted: copying from a web page may join all lines into one."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from .domjobinfo import FIGURE_NAMES
from .monitor_names import LINES

_LEAST_CHARACTERS = 80
_LOG_WORDS = (
    "Migration running for",
    " nova.virt.",
    "(transferred ",
    " VM-state",
    "Migration Progress: ",
    "Migration info for ",
)
"""Each of these occurs at most once in a line of a log."""
_IN_LOG_WORDS = ("Migration ", " nova.virt.", "(transferred ", " VM-state")
"""Each of the words above contains one of these."""
_BEGINS = (
    re.compile(
        r"\s+(?=[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d |\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)|(?<=\})\s+(?=\{\")"
        r"|(?<=[a-z)])(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d )"
    ),
    re.compile(r"\s+(?=(?:DEBUG|INFO|WARNING|ERROR) nova\.)"),
)
"""Where lines of logs begin: at their time, or else at their level."""
_TASK_WORDS = ("(transferred ", " VM-state")
_OF_TASK = re.compile(
    r"(?:ERROR: )?(?:migration (?:active, transferred |status(?: error)?: |downtime limit: |speed limit: |cachesize: )"
    r"|(?:average )?migration speed: |auto-increased downtime to |migrate_set_(?:downtime|speed): |migrate_cancel\b"
    r"|online migrate failure|aborting phase |start migrate command to |starting migration of VM )"
)
"""How the lines of Proxmox VE's task log begin after their time."""
_OBJECTS = re.compile(r"(?<=\})(?:(?:[\s,;>|]|\\r|\\n)+(?=\{\")|(?:\\r)?\\n)")
"""Between lines that are objects."""
_BETWEEN = " \t;,|/"
"""Characters that may separate lines instead of line ends."""
_NUMBER = r"-?(?:\d+(?:[.,]\d+)?|nan)"
_UNITS = r"kbytes|mbps|pages/s|pages|milliseconds|bytes|ms|[KMGTPE]i?B(?:/s)?|B(?:/s)?"


def _named(names: Iterable[str], words: str) -> re.Pattern[str]:
    """A name with its figure (the longest name that fits), or one of `words`."""
    of_names = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile(rf"(?<![\w-])(?:(?:{of_names}):\s*{_NUMBER}(?:\s*(?:{_UNITS})(?!\w))?|{words})")


_TEXTS = (
    (("transferred ram: ", "remaining ram: "), _named(LINES, r"Migration status: [a-z-]+")),
    (
        ("Time elapsed: ", "Memory remaining: "),
        _named(
            (name for name in FIGURE_NAMES if name[0].isupper()),
            r"(?:Job type|Operation):\s*[A-Z][a-z]+(?: migration)?",
        ),
    ),
)
"""Words that show such a joined text, and the pattern of each of its lines."""
_GROUPS = re.compile(
    r"[\s>]+(?=\(qemu\)|(?:Status|RAM info|Transfers|Channels|Page Types|Pages|Others|XBZRLE|CPU Throttle \(%\)|Globals"
    r"|(?:Time|Throughput|Bandwidth|Sizes|Page Rates)(?: \((?:ms|Mbps|mbps|KB|pps)\))?):)"
)
"""Where the lines of releases since 10.1 begin."""
_OTHERS = re.compile(r"Others:(?:\s*\w+=\d+,?)+")
"""Usually the last of them."""


def lines_in(text: str) -> Iterator[str]:
    """The lines that were joined in `text`; usually only `text` itself."""
    if "}" in text and _are_several(text) and len(objects := _OBJECTS.split(text)) > 1:
        yield from objects
        return
    if len(text) < _LEAST_CHARACTERS or "\\n" in text or "\\r" in text:
        yield text
        return
    for (word, other), named in _TEXTS:
        if word in text and other in text:
            yield from _parts(text, named)
            return
    if "Time (ms):" in text and "Others:" in text:
        for part in _GROUPS.split(text):
            yield from _parts(part, _OTHERS)
        return
    if not _are_several(text):
        yield text
        return
    for part in _BEGINS[0].split(text):
        if any(word in part for word in _TASK_WORDS):
            yield from _of_task(part)
        else:
            yield from _BEGINS[1].split(part) if any(part.count(word) > 1 for word in _LOG_WORDS) else [part]


def _are_several(text: str) -> bool:
    """Whether these are several lines of a log."""
    if not any(word in text for word in _IN_LOG_WORDS):
        return False
    if max(map(text.count, _LOG_WORDS)) > 1:
        return True
    return any(word in text for word in _TASK_WORDS) and len(_OF_TASK.findall(text)) > 1


def _of_task(text: str) -> Iterator[str]:
    """The lines of a task log; what precedes the first one belongs to it, as its time does."""
    begins = [match.start() for match in _OF_TASK.finditer(text)][1:]
    for begin, end in pairwise([0, *begins, len(text)]):
        yield text[begin:end].strip()


def _parts(text: str, named: re.Pattern[str]) -> Iterator[str]:
    """The named parts, and what is between them."""
    position = 0
    for match in named.finditer(text):
        if between := text[position : match.start()].strip(_BETWEEN):
            yield between
        yield match[0]
        position = match.end()
    if rest := text[position:].strip(_BETWEEN):
        yield rest
