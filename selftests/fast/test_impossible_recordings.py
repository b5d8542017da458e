# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings with times, lines and fields that no QEMU and no harness makes: nothing wrong follows of them."""

import gzip
import json

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.forms.file import parse
from avocado_migdowntime.report.entry import recorded
from avocado_migdowntime.report.html.page import page
from avocado_migdowntime.verdict.judge import judge

from ..support.recorded import recording

LINES = gzip.decompress(recording("ppc64-tcg-qemu-7.2").read_bytes()).splitlines()
HEADER, RECORDS = LINES[0], [json.loads(line) for line in LINES[1:]]
BOM = "\ufeff".encode()


def changed(**fields):
    """The recording whose records have these fields, where they have them; a function gets the old value."""
    records = [
        {**one, **{key: new(one[key]) if callable(new) else new for key, new in fields.items() if key in one}}
        for one in RECORDS
    ]
    return b"\n".join([HEADER, *(json.dumps(one).encode() for one in records)])


def with_ram(**fields):
    """The recording with these fields of `ram`, by their names with _."""

    def answer(old):
        new = {name.replace("_", "-"): value for name, value in fields.items()}
        ram = {key: new[key](value) if key in new else value for key, value in old.get("ram", {}).items()}
        return {**old, **({"ram": ram} if ram else {})}

    return changed(**{"query-migrate": answer})


def with_event(**fields):
    return changed(event=lambda old: {**old, **fields})


def without_data(event):
    return {key: value for key, value in event.items() if key != "data"}


@pytest.mark.long
@pytest.mark.parametrize(
    "data",
    [
        b"\r\n".join(LINES),
        b"".join(line + (b"\r\n" if number % 2 else b"\n") for number, line in enumerate(LINES)),
        BOM + BOM + b"\n".join(LINES),
        b"\n".join(LINES).decode().encode("utf-16"),
        b"\n".join(line.replace(b'"t":', b'"t": 5, "t":', 1) for line in LINES),
        b"\n".join(line.replace(b'"query-migrate"', b'"query-migrate": {}, "query-migrate"', 1) for line in LINES),
        changed(t=lambda t: t + 1.7e9),
        changed(event=without_data),
        changed(side=lambda side: f"\x1b[2J{side}" if side == "destination" else side),
    ],
    ids=["CRLF", "mixed ends", "two BOMs", "UTF-16", "t twice", "answer twice", "UNIX times", "no data", "a side"],
)
def test_what_is_only_written_otherwise_is_the_same(data):
    assert judge(parse(data)).verdict == judge(parse(b"\n".join(LINES))).verdict


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\r".join(LINES), "line 1 is not JSON; expected a recording"),
        (b"\n".join([*LINES[:50], BOM + LINES[50], *LINES[51:]]), "line 51 is not JSON; expected a recording"),
        (b"\n".join([*LINES[:50], b"\0\0", *LINES[50:]]), "line 51 is not JSON; expected a recording"),
        (b"\n".join([*LINES, *LINES]), f"line {len(LINES) + 1}: is neither a sample nor an event"),
        (changed(t=lambda t: 100 - t), "line 3: is out of order: an event at "),
        (changed(t=lambda t: t - 50), "line 2: 't' is -49."),
        (changed(latency_ms=-5), "line 4: 'latency_ms' is -5 where a number from 0 up was expected"),
        (with_ram(remaining=str), "line 4: 'remaining' is '268148736' where a number from 0 up was expected"),
        (with_ram(remaining=bool), "line 4: 'remaining' is True where a number from 0 up was expected"),
        (with_ram(remaining=lambda v: v * 1e20), "line 4: 'remaining' is 2.68148736e+28 where a number up to"),
        (with_ram(mbps=lambda v: 1e308), "line 4: 'mbps' is 1e+308 where a number up to 1.8e+19 was expected"),
        (with_ram(dirty_sync_count=lambda v: -v), "line 4: 'dirty-sync-count' is -1 where a number from 0 up"),
        (with_event(timestamp={"seconds": -1, "microseconds": -1}), "line 2: 'seconds' is -1 where a number from 0"),
        (with_event(data=[1]), "line 2: 'event' is {'data': [1], "),
        (changed(event=None), "line 2: 'event' is None where a QMP event was expected"),
    ],
)
def test_what_nothing_writes_is_refused_by_its_line(data, says):
    with pytest.raises(UsageError) as caught:
        parse(data)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_where_all_is_at_one_time_no_bandwidth_is_judged(tmp_path):
    path = tmp_path / "trace.jsonl"
    path.write_bytes(changed(t=1.0))
    verdict = judge(parse(path.read_bytes()))
    assert (verdict.verdict, verdict.bandwidth.code) == ("inconclusive", "not-seen")
    assert page("a title", [recorded(str(path))])
