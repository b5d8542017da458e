# SPDX-License-Identifier: GPL-2.0-or-later
"""Examples of foreign data, from which a fuzzer starts."""

import gzip
import io
import json
import tarfile
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate, chain
from pathlib import Path

import numpy as np

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.forms.form import Form
from avocado_migdowntime.forms.reader import Reader as TextReader
from avocado_migdowntime.guest_memory.inspection import PAGE_WORDS
from avocado_migdowntime.host import journal, protocol
from avocado_migdowntime.host.leases import DirectoryLease
from avocado_migdowntime.parameters import table
from avocado_migdowntime.qemu.answers import DOCUMENTED

from .documents import TOP
from .jobs import entry, verdict
from .made_up_qemu import PROBED
from .product_logs import logged, looks, vdsm_mbps
from .recorded import CLEAN, recording

_TEXTS = [
    path
    for place in ("forms", "texts", "recordings")
    for path in sorted((TOP / "selftests" / place).iterdir())
    if path.suffix in (".txt", ".jsonl")
]
_SHORT = [
    b"(monitor q) Response to 'query-migrate' (re-formated)\n"
    + b"".join(
        b"(monitor q)    %s\n" % line
        for line in (b"status: active", b"total-time: 9", b"ram: ", b"    total: 9000", b"    remaining: 5")
    ),
    b'{"progress_history": [{"duration": 9, "downtime_expected": 5, "ram": {"total_bytes": 9000, "remaining_bytes": 70,'
    b' "transferred_bytes": 8000, "transfer_rate_mbs": 80.5, "dirty_rate_pps": 3, "iterations": 2}}]}',
]
"""Examples of forms of which a part of a long text shows nothing."""
_SAMPLES = 12
_FEW_BYTES = 1 << 10, 1 << 8


def short(name: str) -> bytes:
    """A recording of a few lines."""
    header, *lines = gzip.decompress(recording(name).read_bytes()).splitlines(keepends=True)
    return b"".join([header, *lines[:: len(lines) // _SAMPLES]])


@cache
def recordings() -> list[bytes]:
    """Recordings in plain lines; the last two have two samples and one, with the fewest fields possible."""
    least = (TOP / "selftests/forms/recording-of-a-sample-each-2.1-s.jsonl").read_bytes()
    return [*map(short, CLEAN), least, *(_packed(least.splitlines()[:lines]) for lines in (3, 2))]


def _packed(lines: Iterable[bytes]) -> bytes:
    return b"\n".join(json.dumps(json.loads(line), separators=(",", ":")).encode() for line in lines)


def answers_recorded() -> list[bytes]:
    """The answers of some recordings, one a line."""
    lines = [[line for line in one.splitlines()[1:] if b"query-migrate" in line] for one in recordings()]
    return [b"\n".join(json.dumps(json.loads(line)["query-migrate"]).encode() for line in one) for one in lines]


def variants() -> list[bytes]:
    """Variants files."""
    return [_VARIANT, *(path.read_bytes() for path in (TOP / "variants").glob("*.yaml"))]


def of_form(form: type[Form]) -> list[bytes]:
    """The examples with a line of this form; of the long ones, as few bytes as still show something."""
    logs = logged(vdsm_mbps, looks(CLEAN[1], 0.5))
    whole = [text for text in (*map(Path.read_bytes, _TEXTS), logs, *_SHORT) if form in _forms_in(text)]
    few = [next(filter(_tells, _cut(text, size)), b"") for text in whole for size in _FEW_BYTES if len(text) > size]
    return [*whole, *(text for text in dict.fromkeys(few) if form in _forms_in(text))]


def _cut(text: bytes, size: int) -> Iterator[bytes]:
    """Pieces of a text with at most that many bytes: from the start of each line, and each long line's end."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        rest = lines[number:]
        yield (
            line[-size:]
            if len(line) > size
            else b"".join(line for line, end in zip(rest, accumulate(map(len, rest)), strict=True) if end <= size)
        )


def _tells(text: bytes) -> bool:
    try:
        return bool(parse(text))
    except UsageError:
        return False


@cache
def _forms_in(text: bytes) -> set[type[Form]]:
    reader = TextReader()
    deque(chain(reader.feed(text), reader.end()), maxlen=0)
    return {type(form) for form in reader.forms}


def jobs() -> list[bytes]:
    """A job's results of two builds; and results in which one or two tests ended without a verdict."""
    ended = [entry(n, f"migdowntime:expected-downtime@{build}", None, "ERROR", "why") for n, build in enumerate("ab")]
    return [_job(), *(json.dumps({"tests": some}).encode() for some in (ended, ended[:1]))]


@cache
def _job() -> bytes:
    name = "migdowntime:expected-downtime@{};run-architecture-ppc64-7843"
    entries = [entry(n, name.format("ab"[n % 2]), verdict(CLEAN[n % 4], 1 + n % 2)) for n in range(4)]
    return json.dumps({"tests": [*entries, entry(9, name.format("a"), None, "ERROR", "why")]}).encode()


def archives() -> list[bytes]:
    """Archives of a job's results, the last one as small as possible."""
    return [_archive("job/results.json", "job/test-results/1-x/data/trace.jsonl"), _archive("results.json")[:1024]]


def _archive(*names: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as made:
        for name in names:
            content = _job() if len(names) > 1 else b"{}"
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return whole.getvalue()


def host_messages() -> list[bytes]:
    """Messages of each kind, and a journal."""
    return [
        protocol.encode(3, protocol.AcquireHugepages(2 << 20, 4, False)),
        protocol.encode(3, protocol.ReleaseLeases((1, 2))),
        protocol.encode(3, protocol.HugepagesGrant(1, 2, (1, 2))),
        protocol.encode(0, protocol.FinalReport(("a could not be released",))),
        journal.encode([DirectoryLease("/tmp/migdowntime-a")]),
    ]


def _telemetry_seed(byte_order: str, pattern: int, others: tuple[int, ...] = ()) -> bytes:
    words = np.zeros(2 * PAGE_WORDS, dtype=f"{byte_order}u8")
    words[0] = int.from_bytes(b"MIGDOWNT", "big")
    words[6:14] = [5, 1 << 20, 1 << 16, 4096, 100, pattern, 7, 20]
    words[22:24] = [20, 80]
    words[27] = 1 + len(others)
    words[28 : 28 + 9 * len(others) : 9] = others
    return words.tobytes()


def telemetry() -> list[bytes]:
    """Telemetry pages, followed by a page of the region."""
    return [_telemetry_seed(order, number, (9, 4)[:number]) for order in "<>" for number in range(4)]


ANSWERS = [
    bytes([number]) + json.dumps(PROBED[name]).encode() for number, name in enumerate(DOCUMENTED) if name in PROBED
]
_VARIANT = b"architecture: !mux\n  ppc64:\n    arch: ppc64\n  x86_64:\n    arch: x86_64\n    page_size: 4K\n"
DEFAULTS = "".join(f"{row.name}={row.default}\n" for row in table.describe()).encode()
