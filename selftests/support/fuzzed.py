# SPDX-License-Identifier: GPL-2.0-or-later
"""Every reader of foreign data, as a function of bytes, with examples to start from.

Whatever it is given, each returns, or raises the one-sentence error that a user sees; anything else is a fault.
"""

import gzip
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, islice
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import yaml

from avocado_migdowntime.basics.archive import unpacked
from avocado_migdowntime.basics.input_file import CHUNK_BYTES
from avocado_migdowntime.comparison.compare import compare
from avocado_migdowntime.comparison.job_results import builds_of
from avocado_migdowntime.errors import MigDowntimeError
from avocado_migdowntime.faulty.framing import Framing
from avocado_migdowntime.forms import catalogue
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.guest_memory.inspection import PAGE_WORDS, Inspection
from avocado_migdowntime.guest_memory.telemetry import PAGE_BYTES, Telemetry
from avocado_migdowntime.host import journal, protocol
from avocado_migdowntime.host.records import MalformedRecordError
from avocado_migdowntime.parameters import table
from avocado_migdowntime.parameters.sources import of_variant
from avocado_migdowntime.prediction.advise import advise
from avocado_migdowntime.qemu.answers import DOCUMENTED, documented
from avocado_migdowntime.qemu.guest import Orders
from avocado_migdowntime.report.comparison import errors as comparison_errors
from avocado_migdowntime.report.comparison import fields as comparison_fields
from avocado_migdowntime.report.comparison import sentence
from avocado_migdowntime.report.comparison import summary as comparison_summary
from avocado_migdowntime.report.entry import recorded
from avocado_migdowntime.report.html.page import page
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.report.verdict_text import summary
from avocado_migdowntime.trace.file import TraceWriter
from avocado_migdowntime.trace.model import Trace
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.verdict.judge import judge

from . import fuzz_mutations, fuzz_seeds

_COLUMNS = 100
_DEPTH = 20
_MOST_VARIANTS = 50

_ORDERS = Orders("random", 1 << 16, 100, 4096)
_HEADER = json.loads(fuzz_seeds.recordings()[-1].splitlines()[0])


@dataclass(frozen=True)
class Reader:
    """What is called `name` reads `data`; `words` are parts of its format that are not in `seeds`.

    The first `apart_bytes` say how the rest is read; `is_lines` of JSON are mostly changed to such lines.
    """

    name: str
    read: Callable[[bytes], None]
    made_seeds: Callable[[], Sequence[bytes]]
    words: Sequence[bytes] = ()
    is_lines: bool = False
    apart_bytes: int = 0

    @cached_property
    def seeds(self) -> Sequence[bytes]:
        """Examples to start from, made on demand."""
        return self.made_seeds()

    def mutate(self, data: bytes, longest_bytes: int, seed: int, mutate: fuzz_mutations.Mutate) -> bytes:
        """`data` or, half of the time, one of `seeds`, changed by `mutate`; of lines so that most remain lines."""
        random = Random(seed)
        if random.randrange(2):
            data = random.choice([one for one in self.seeds if len(one) <= longest_bytes] or [data])
        if not self.is_lines:
            return mutate(data, longest_bytes)
        apart, lines = data[: self.apart_bytes], data[self.apart_bytes :]
        return apart + fuzz_mutations.of_lines(lines, longest_bytes - len(apart), random, mutate)

    def __call__(self, data: bytes) -> None:
        """Read `data`; raises what no user should see."""
        try:
            self.read(data)
        except MigDowntimeError as error:
            assert str(error) and "\n" not in str(error), f"no sentence: {str(error)!r}"
        except MalformedRecordError as error:
            assert str(error)


def _used(trace: Trace) -> None:
    found = judge(trace)
    assert summary(found) and json.dumps(fields(found), allow_nan=False)
    assert advise(trace).reasons


def _trace(data: bytes) -> None:
    _used(parse(data))


def _packed(data: bytes) -> None:
    """The first byte says how much of the compressed file is kept."""
    whole = gzip.compress(data[1:], compresslevel=1, mtime=0)
    _trace(whole[: len(whole) - (data[0] if data else 0)])


def _page(data: bytes) -> None:
    """Without plotly's JavaScript, which takes half of the time and is the same whatever the data."""
    with _in_a_file("trace.jsonl", data) as path, patch(f"{page.__module__}._plotly", lambda: ("", "")):
        assert page("a title", [recorded(str(path))])


def _job(data: bytes) -> None:
    with _in_a_file("results.json", data) as path:
        builds = builds_of([str(path.parent)])
    if len(builds) > 1:
        comparisons = [compare(builds[0], build, len(builds)) for build in builds[1:]]
        assert comparison_summary(builds, _COLUMNS) and comparison_errors(builds) is not None
        assert json.dumps({"answer": sentence(comparisons), **comparison_fields(builds, comparisons)}, allow_nan=False)


def _archive(data: bytes) -> None:
    """A tar in its uncompressed form; nothing may be written outside its place."""
    with _in_a_file("jobs.tar.gz", gzip.compress(data, compresslevel=1, mtime=0)) as path:
        with unpacked([str(path)]) as directories:
            assert all(map(Path.is_dir, map(Path, directories.values())))
        assert list(path.parent.iterdir()) == [path]


def _parameters(data: bytes) -> None:
    """Each line is a parameter: its name, =, and its value."""
    lines = [line.partition("=") for line in data.decode(errors="replace").splitlines()]
    table.parse((name, value) for name, _, value in lines)


def _variants(data: bytes) -> None:
    """A variants file: each branch's keys and values, if it is YAML, with their paths."""
    try:
        loaded = yaml.load(data, _Yaml)
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    for variant in islice(_branches("/run", loaded, ()), _MOST_VARIANTS):
        table.parse(of_variant(variant))


class _Yaml(yaml.SafeLoader):
    """Like Avocado's, which knows its own tags."""


_Yaml.add_multi_constructor("!", lambda loader, tag, node: loader.construct_mapping(node))


_Item = tuple[str, str, Any]


def _branches(path: str, node: object, above: tuple[_Item, ...]) -> Iterator[tuple[_Item, ...]]:
    """What each of the outermost branches has, with what it inherits."""
    if not isinstance(node, dict) or path.count("/") > _DEPTH:
        return
    own = (*above, *((path, str(key), value) for key, value in node.items() if not isinstance(value, dict)))
    branches = [(key, value) for key, value in node.items() if isinstance(value, dict)]
    for key, value in branches:
        yield from _branches(f"{path}/{key}", value, own)
    if not branches:
        yield own


def _host_messages(data: bytes) -> None:
    for decode in (protocol.decode_request, protocol.decode_reply, journal.decode):
        try:
            decode(data)
        except (MigDowntimeError, MalformedRecordError) as error:
            assert str(error)


def _telemetry(data: bytes) -> None:
    """A telemetry page, followed by pages of the region."""
    told = Telemetry.parse(data[:PAGE_BYTES])
    told.held_to({**_ORDERS.telemetry_fields(), "pattern": told.pattern, "vcpus": told.vcpus})
    inspection = Inspection(told)
    pages = np.frombuffer(data[PAGE_BYTES:][: len(data[PAGE_BYTES:]) // PAGE_BYTES * PAGE_BYTES], dtype=np.uint64)
    inspection.see_anywhere(pages.reshape(-1, PAGE_WORDS))
    assert inspection.finding().pages == told.pages


def _answers(data: bytes) -> None:
    """The first byte chooses the command; the rest is what comes over the socket."""
    names = [*DOCUMENTED]
    for _, message in Framing().feed(data[1:] + b"\n"):
        documented("the source QEMU", names[data[0] % len(names)], message)


def _recorded(data: bytes) -> None:
    """Answers to query-migrate and events as they come: they are written as a trace that can be read."""
    with _in_a_file("header", b"") as beside:
        path = beside.with_name("trace.jsonl")
        writer, taken = TraceWriter(path, _HEADER), 0
        try:
            framing = Framing()
            pieces = (data[begin : begin + CHUNK_BYTES] for begin in range(0, len(data), CHUNK_BYTES))
            for number, (_, message) in enumerate(chain.from_iterable(map(framing.feed, (*pieces, b"\n")))):
                if isinstance(message, dict) and "event" in message:
                    writer.event(number * 0.01, "source", message)
                elif message is not None:
                    answer = documented("the source QEMU", "query-migrate", message)
                    Sample.from_query(number * 0.01, 1.0, answer)
                    writer.sample(number * 0.01, 1.0, answer)
                    taken += 1
        finally:
            writer.close()
        if taken:
            _used(parse(path.read_bytes()))


@contextmanager
def _in_a_file(name: str, data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mdt-fuzz-", dir="/dev/shm") as directory:
        path = Path(directory, name)
        path.write_bytes(data)
        yield path


def readers() -> Mapping[str, Reader]:
    """All readers, by name."""
    found = [
        *(
            Reader(f"text of {form.NAME}", _trace, partial(fuzz_seeds.of_form, form), (*form.NEEDLES, *form.ALSO))
            for form in catalogue.FORMS
        ),
        Reader("recording", _trace, fuzz_seeds.recordings, is_lines=True),
        Reader(
            "recording, compressed",
            _packed,
            lambda: [b"\0" + one for one in fuzz_seeds.recordings()],
            is_lines=True,
            apart_bytes=1,
        ),
        Reader("gzip file", _trace, lambda: [gzip.compress(one, mtime=0) for one in fuzz_seeds.recordings()]),
        Reader("recording, to its page", _page, lambda: fuzz_seeds.recordings()[-3::2], is_lines=True),
        Reader("results of a job", _job, fuzz_seeds.jobs),
        Reader("archive of jobs", _archive, fuzz_seeds.archives),
        Reader("parameters", _parameters, lambda: [fuzz_seeds.DEFAULTS]),
        Reader("variants", _variants, fuzz_seeds.variants),
        Reader("messages of the host's guardian", _host_messages, fuzz_seeds.host_messages),
        Reader("telemetry", _telemetry, fuzz_seeds.telemetry),
        Reader("QMP answers", _answers, lambda: fuzz_seeds.ANSWERS),
        Reader("QMP answers, recorded", _recorded, fuzz_seeds.answers_recorded, is_lines=True),
    ]
    return {reader.name: reader for reader in found}
