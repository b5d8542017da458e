# SPDX-License-Identifier: GPL-2.0-or-later
"""What is read takes little memory, and what is too much is refused for little."""

import gzip
import os
import re
import subprocess
import sys

import pytest

from avocado_migdowntime.forms.file import read

from ..support.documents import TOP
from ..support.waiting import HANGS_S

HEADER = b'{"qemu":{},"migrate-parameters":{"downtime-limit":300}}\n'
SAMPLE = b'{"t":0,"latency_ms":0,"query-migrate":{}}\n'
MANY = 500_000
"""Samples: what they take uncompressed is no more than 25 MB."""


def memory_bytes(directory, *arguments):
    """The greatest memory that a command took, and what it said."""
    program = "from avocado_migdowntime.__main__ import main; main(); print(open('/proc/self/status').read())"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS_S,
    )
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", done.stdout)[1]), done.stderr


def bomb(path, begin, again, times):
    """A small file that makes much; gives its name."""
    members = [gzip.compress(part, compresslevel=1) for part in (begin, again * 1000)]
    path.write_bytes(members[0] + members[1] * (times // 1000))
    return path.name


@pytest.mark.parametrize(
    ("begin", "again", "times", "most_bytes", "what"),
    [
        (b"", b"\0" * 1000, 1_000_000, 100_000_000, "is no text"),
        (b"", b"x" * 1000, 1_000_000, 100_000_000, "holds a line of more than 4 MiB"),
        (b"", b"\n" * 1000, 100_000, 100_000_000, "decompresses to more than recordings hold"),
        (b"", b" " * 1000, 100_000, 100_000_000, "holds a line of more than 4 MiB"),
        (HEADER, SAMPLE, 3_000_000, 200_000_000, "decompresses to more than recordings hold"),
        (
            HEADER + SAMPLE,
            b'{"t":0,"event":{"event":"","data":{"a":[' + b"[]," * 2000 + b"[]]}}}\n",
            5000,
            600_000_000,  # Of nested lists Python makes 24 times as much as they are; of nothing else that much.
            "MiB of them",
        ),
    ],
)
def test_a_small_file_that_makes_much_costs_little(tmp_path, begin, again, times, most_bytes, what):
    name = bomb(tmp_path / "bomb.gz", begin, again, times)
    taken, said = memory_bytes(tmp_path, "analyze", "--quiet", name)
    assert what in said and said.count("\n") == 1
    assert taken < 10 * (tmp_path / name).stat().st_size + most_bytes


def test_many_samples_are_read_for_little(tmp_path):
    plain = HEADER + SAMPLE * MANY
    (tmp_path / "many.jsonl").write_bytes(plain)
    taken, said = memory_bytes(tmp_path, "analyze", "--quiet", "many.jsonl")
    assert said == "" and taken < 10 * len(plain) + 100_000_000
    assert len(read(str(tmp_path / "many.jsonl")).samples) == MANY


def test_a_compressed_recording_may_be_long(tmp_path):
    rows = (f'{{"t": {n * 0.02}, "latency_ms": {n % 997 / 1000}, "query-migrate": {{}}}}' for n in range(MANY))
    (tmp_path / "long.gz").write_bytes(gzip.compress(HEADER + "\n".join(rows).encode(), compresslevel=1))
    assert len(read(str(tmp_path / "long.gz")).samples) == MANY
