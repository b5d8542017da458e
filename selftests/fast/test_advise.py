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
        "of         QEMU 7.2.22 x86_64 kvm",
        "range      2076 to 2097 ms",
        "best seen  2076 ms, when pass 2 began 2.0 s into the trace",
        f"or steps   {', '.join(map(str, STEPS))} ms, each for two passes: the downtime may be shorter then",
        "bandwidth  at 346.2 MB/s the default of 300 ms would do",
        "throttle   the guest by 86 % at least (auto-converge) for the same",
        "rests on   5 syncs seen from both sides",
        "because    the next sync is expected to find 103.9 MB to be sent at 50.0 MB/s",
        "because    the downtime-limit of 1 ms that is set never ends it",
    ]


def test_json_has_the_promised_fields(capsys):
    assert run("--json", CLEAN) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["file"], found["finding"], found["downtime_limit_ms"]) == (CLEAN, "found", 2097)
    assert (found["range_ms"], found["steps_ms"], found["configured_ms"]) == ([2076, 2097], STEPS, 1)
    assert found["best_point"] == {"number": 2, "t_s": 2.035745, "limit_ms": 2076}
    assert found["help"].keys() == {"bandwidth_bytes_per_ms", "throttle_percent"}
    assert found["reasons"][0].startswith("the next sync is expected to find")


def test_a_trace_that_is_too_short_cannot_tell(tmp_path, capsys):
    short = tmp_path / "short.jsonl"
    short.write_bytes(gzip.decompress(Path(CLEAN).read_bytes())[:40_000])
    assert run("--json", str(short)) == 125
    found = json.loads(capsys.readouterr().out)
    assert (found["downtime_limit_ms"], found["range_ms"], found["best_point"]) == (None, None, None)
    assert run(str(short)) == 125
    assert capsys.readouterr().out.startswith("set        UNKNOWN: this trace cannot tell\n")


@pytest.mark.parametrize(
    ("throughput", "status", "first"),
    [("866.83", 0, "set        3562 ms downtime-limit"), ("0.00", 1, "set        NONE: no downtime-limit will do")],
)
def test_a_snapshot_is_advised_from(throughput, status, first, tmp_path, capsys):
    path = tmp_path / "info.txt"
    path.write_text(HMP.read_text().replace("throughput: 866.83", f"throughput: {throughput}"))
    assert run(str(path)) == status
    assert capsys.readouterr().out.splitlines()[0] == first


def test_a_file_that_cannot_be_used_is_named(tmp_path, capsys):
    assert run(str(tmp_path / "none")) == 2
    assert capsys.readouterr().err == (
        f"migdowntime advise: {tmp_path}/none: No such file or directory; "
        "expected a recorded migration or a text of one\n"
    )
