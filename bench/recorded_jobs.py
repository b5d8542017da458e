# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of a job with any number of tests, as Avocado leaves them, with recordings instead of migrations."""

import gzip
import json
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from avocado_migdowntime.forms.file import read
from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.verdict.judge import judge

RECORDINGS = sorted(Path(__file__).parents[1].glob("selftests/recordings/*.jsonl.gz"))
_COMMAND = "qemu-system-ppc64 -nodefaults " + " ".join(f"-device made-up,number={number}" for number in range(40))


def write(job: Path, tests: int) -> None:
    """Write the directory `job`; the recordings are repeated, each time as another variant."""
    job.mkdir()
    found = [(gzip.decompress(path.read_bytes()), fields(judge(read(str(path))))) for path in RECORDINGS]
    entries = list(_entries(job, islice(cycle(found), tests)))
    (job / "results.json").write_text(json.dumps({"tests": entries}))


def _entries(job: Path, found: Iterator[tuple[bytes, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for number, (trace, verdict) in enumerate(found, 1):
        name = f"migdowntime:expected-downtime;run-architecture-{number:06}-7843"
        data = job / "test-results" / f"{number}-{name.replace(':', '_')}" / "data"
        data.mkdir(parents=True)
        (data / "trace.jsonl").write_bytes(trace)
        for side in ("source", "destination"):
            (data / f"{side}.command").write_text(_COMMAND)
        (data / "verdict.json").write_text(json.dumps(verdict))
        whiteboard = {"whiteboard": json.dumps(verdict), "fail_reason": "<unknown>"}
        yield {"id": f"{number}-{name}", "name": name, "status": "PASS", **whiteboard}
