# SPDX-License-Identifier: GPL-2.0-or-later
"""`advise` as a user meets it: text, JSON, exit statuses."""

import argparse
import gzip
import json
from pathlib import Path

import pytest

from avocado_migdowntime.cli import advise

RECORDINGS = Path(__file__).parents[1] / "recordings"
STEPS = [115, 150, 196, 256, 333, 433, 563, 733, 953, 1240, 1613, 2097]
CLEAN = str(RECORDINGS / "x86_64-kvm-qemu-7.2.jsonl.gz")
HMP = RECORDINGS / "info-migrate-power8.txt"


def run(*arguments):
    parser = argparse.ArgumentParser()
    advise.configure(parser)
    return advise.run(parser.parse_args(arguments))


def test_text_says_what_to_set_and_what_else_would_help(capsys):
    assert run(CLEAN) == 0
    assert capsys.readouterr().out.splitlines() == [
        "set        2097 ms downtime-limit",
        "tested     QEMU 7.2.22 x86_64 kvm",
        "range      2055 to 2399 ms",
        "lowest     2076 ms would have worked, at the start of pass 2 (2.0 s)",
        f"or try     {', '.join(map(str, STEPS))} ms in turn, two passes each; one may work with a shorter downtime",
        "downtime   about 2076 ms at the present bandwidth; in fact less, because QEMU lifts max-bandwidth at the "
        "switchover",
        "bandwidth  363.5 MB/s is enough for the default of 300 ms; less may be enough, but not below 41.5 MB/s",
        "throttle   86 % (auto-converge) is enough only if the guest then dirties that much less",
        "based on   5 syncs with samples on both sides",
        "reason     the next sync is expected to find 103.9 MB to send at 50.0 MB/s",
        "reason     the guest dirties memory as fast as QEMU sends it, 49.4 MB/s of pages over a pass of 2.1 s, "
        "so passes do not get shorter",
        "reason     the present downtime-limit of 1 ms probably never ends it",
    ]


def test_json_has_the_promised_fields(capsys):
    assert run("--json", CLEAN) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["file"], found["finding"], found["downtime_limit_ms"]) == (CLEAN, "found", 2097)
    assert (found["range_ms"], found["steps_ms"], found["configured_ms"]) == ([2055, 2399], STEPS, 1)
    assert found["best_point"] == {"number": 2, "t_s": 2.035745, "limit_ms": 2076}
    enough = {"bandwidth_bytes_per_ms", "throttle_percent"}
    assert found["help"].keys() == {*enough, *(f"least_{name}" for name in enough)}
    assert (found["down"]["capped"], round(found["down"]["ms"])) == (True, 2076)
    assert found["reasons"][0].startswith("the next sync is expected to find")


def test_a_trace_that_is_too_short_cannot_tell(tmp_path, capsys):
    short = tmp_path / "short.jsonl"
    short.write_bytes(gzip.decompress(Path(CLEAN).read_bytes())[:40_000])
    assert run("--json", str(short)) == 125
    found = json.loads(capsys.readouterr().out)
    assert (found["downtime_limit_ms"], found["range_ms"], found["best_point"]) == (None, None, None)
    assert run(str(short)) == 125
    assert capsys.readouterr().out.startswith("set        UNKNOWN: the data cannot tell\n")


@pytest.mark.parametrize(
    ("throughput", "status", "first"),
    [
        (
            "866.83",
            125,
            "385.9 MB are left now (3562 ms at 108.4 MB/s), so ending it now needs a limit of at least 3562 ms",
        ),
        ("0.00", 125, "the throughput is 0: QEMU has measured nothing yet, or sends nothing now"),
    ],
)
def test_a_snapshot_is_advised_from(throughput, status, first, tmp_path, capsys):
    path = tmp_path / "info.txt"
    path.write_text(HMP.read_text().replace("throughput: 866.83", f"throughput: {throughput}"))
    assert run(str(path)) == status
    told = [line.removeprefix("reason").strip() for line in capsys.readouterr().out.splitlines()]
    assert first in told


def test_a_file_that_cannot_be_used_is_named(tmp_path, capsys):
    assert run(str(tmp_path / "none")) == 2
    assert capsys.readouterr().err == (
        f"migdowntime advise: {tmp_path}/none: No such file or directory; "
        "expected a recording, or a text about a migration\n"
    )
