# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of jobs, made from verdicts on real recordings."""

import json
from functools import cache

from avocado_migdowntime.report.verdict_json import fields
from avocado_migdowntime.verdict.judge import judge

from .recorded import CLEAN, altered


@cache
def verdict(name, factor):
    def bias(answer):
        answer["expected-downtime"] = int(answer["expected-downtime"] * factor)

    return fields(judge(altered(name, bias)))


def entry(number, name, found, status="PASS", reason="<unknown>"):
    whiteboard = json.dumps(found) if found else ""
    return {
        "id": f"{number}-{name}",
        "name": name,
        "status": status,
        "whiteboard": whiteboard,
        "fail_reason": reason,
    }


def job(directory, entries):
    directory.mkdir()
    (directory / "results.json").write_text(json.dumps({"tests": entries}))
    return str(directory)


def of_recordings(directory, factor, recordings=CLEAN):
    """The results of a job with a run for each recording, with QEMU's reports multiplied by `factor`."""
    name = "migdowntime:expected-downtime;run-architecture-ppc64-7843"
    return job(directory, [entry(n, name, verdict(one, factor)) for n, one in enumerate(recordings, 1)])
