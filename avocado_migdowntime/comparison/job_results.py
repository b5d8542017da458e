# SPDX-License-Identifier: GPL-2.0-or-later
"""Where traces and verdicts are: files, and the results of Avocado jobs."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..basics import input_file
from ..basics.names import TRACE_OF_TEST
from ..errors import UsageError
from .outcome import RunOutcome, outcomes

_IN_A_JOB = f"test-results/*/{TRACE_OF_TEST}"
_RESULTS = "results.json"
_MOST_BYTES = 100_000_000
"""A test leaves some 10 kB in them."""
_ANYHOW_PARTS, _BYTES_A_PART = 500_000, 12
"""A part, between two of `,[{`, takes a hundred bytes when it is read. Real ones have one in 26 bytes."""


def traces_of(places: Iterable[str]) -> Iterator[str]:
    """The paths of the traces that `places` are (files; - is standard input) or hold (directories of jobs' results).

    Raises UsageError where a directory holds none, or one by a link that leads out of it.
    """
    for place in places:
        if not Path(place).is_dir():
            yield place
            continue
        traces = sorted(Path(place).glob(_IN_A_JOB))
        if not traces:
            raise UsageError(f"{place} contains no {_IN_A_JOB}; give the results of a job, such as job-results/latest")
        for trace in traces:
            _refuse_outside(trace, Path(place))
            yield str(trace)


def is_job(place: str) -> bool:
    """Whether this is the directory of a job's results, which say what its tests came to."""
    return Path(place, _RESULTS).is_file()


def builds_of(jobs: Iterable[str]) -> list[list[RunOutcome]]:
    """The outcomes of the tests in the results of jobs, by the build they ran on; a job that had one is called that.

    Raises UsageError where a job cannot be used, or has no such tests.
    """
    all_runs: list[RunOutcome] = []
    known_paths: set[Path] = set()
    for job in jobs:
        path = Path(job, _RESULTS)
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError):
            raise UsageError(f"{job}: its links go round in a circle; give the results of a job") from None
        if resolved in known_paths:
            raise UsageError(f"{job} is given twice; the same runs prove nothing new")
        known_paths.add(resolved)
        _refuse_outside(path, Path(job))
        try:
            runs = outcomes(json.loads(_in_bounds(input_file.whole(str(path), _MOST_BYTES))), job)
        except OSError as error:
            raise UsageError(
                f"{path}: {error.strerror}; give the results of a job, such as job-results/latest"
            ) from None
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from None
        except (ValueError, RecursionError):
            raise UsageError(f"{path} is not JSON; give the results of a job, such as job-results/latest") from None
        if not runs:
            raise UsageError(f"{path} has no test of this project; give the results of a job that ran migdowntime:NAME")
        all_runs += runs
    return by_build(all_runs)


def _refuse_outside(path: Path, of: Path) -> None:
    if input_file.leads_out(path, of):
        raise UsageError(f"{path} is a link to outside of {of}, which is not followed; name what it leads to instead")


def _in_bounds(data: bytes) -> bytes:
    """The same; raises UsageError where it is of so many parts that they would take far more memory than it is long."""
    parts = sum(map(data.count, (b",", b"[", b"{")))
    if parts > _ANYHOW_PARTS + len(data) // _BYTES_A_PART:
        raise UsageError(f"has {parts} parts in {len(data)} bytes, as no results have; give the results of a job")
    return data


def by_build(runs: Iterable[RunOutcome]) -> list[list[RunOutcome]]:
    """The runs of each build."""
    runs_of: dict[str, list[RunOutcome]] = {}
    for run in runs:
        runs_of.setdefault(run.build, []).append(run)
    return list(runs_of.values())
