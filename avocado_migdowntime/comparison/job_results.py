# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds traces and verdicts: files, and the results of Avocado jobs."""

import errno
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..basics import input_file
from ..basics.names import TRACE_OF_TEST
from ..errors import UsageError
from .outcome import RunOutcome, outcomes

_TESTS, _RESULTS = "test-results", "results.json"
_IN_A_JOB = f"{_TESTS}/*/{TRACE_OF_TEST}"
_DEEPEST = 4
"""How deep below a directory jobs are searched for."""
_MOST_DIRECTORIES = 10_000
_MOST_BYTES = 100_000_000
"""The largest results.json that is read; a test adds some 10 kB to it."""
_ANYHOW_PARTS, _BYTES_A_PART = 500_000, 12
"""The parts (between two of `,[{`) that any results may have, and the bytes that allow a further part.

A part takes a hundred bytes in memory. Real results have one part in 26 bytes.
"""


_NOWHERE_ELSE: Mapping[str, str] = {}


def traces_of(places: Iterable[str], directories: Mapping[str, str] = _NOWHERE_ELSE) -> Iterator[str]:
    """The paths of the traces that `places` are (files; - is standard input) or contain (directories of job results).

    Places that were unpacked, such as archives, are searched in `directories`. Raises UsageError if a directory
    contains no trace, or one by a link that leads out of it.
    """
    for place in places:
        directory = Path(directories.get(place, place))
        if not directory.is_dir():
            yield place
            continue
        traces = [trace for job in _jobs_in(directory) for trace in sorted(job.glob(_IN_A_JOB))]
        if not traces:
            raise UsageError(f"{place} contains no {_IN_A_JOB}; give the results of a job, such as job-results/latest")
        for trace in traces:
            _refuse_outside(trace, directory)
            yield str(trace)


def _jobs_in(place: Path) -> list[Path]:
    """The directory itself if it is a job's, or those of the jobs below it, as in archives and CI artifacts.

    Raises UsageError if there is too much below it to search.
    """
    if _is_there(place / _RESULTS) or _is_there(place / _TESTS):
        return [place]
    job_directories: list[Path] = []
    below = [(place, 1)]
    for directory, depth in below:
        try:
            inside = sorted(each for each in directory.iterdir() if not each.is_symlink() and each.is_dir())
        except OSError:
            continue
        for each in inside:
            if _is_there(each / _RESULTS):
                job_directories.append(each)
            elif depth < _DEEPEST:
                below.append((each, depth + 1))
        if len(below) + len(job_directories) > _MOST_DIRECTORIES:
            raise UsageError(f"{place} holds more than {_MOST_DIRECTORIES} directories; give one that holds jobs alone")
    return job_directories or [place]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def is_job(place: str, directories: Mapping[str, str] = _NOWHERE_ELSE) -> bool:
    """Whether this is a directory of job results, or contains such directories."""
    return any(_is_there(job / _RESULTS) for job in _jobs_in(Path(directories.get(place, place))))


def builds_of(jobs: Iterable[str], directories: Mapping[str, str] = _NOWHERE_ELSE) -> list[list[RunOutcome]]:
    """The outcomes of the tests in job results, by build; a job that ran on a single build is named after it.

    The jobs below one directory form one set. Raises UsageError if a job cannot be used, or has no such tests.
    """
    all_runs: list[RunOutcome] = []
    known_paths: set[Path] = set()
    pairs = ((job, each) for job in jobs for each in _jobs_in(Path(directories.get(job, job))))
    for job, directory in pairs:
        path = directory / _RESULTS
        try:
            resolved = path.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            if getattr(error, "errno", errno.ELOOP) == errno.ELOOP:  # An OSError only in Python 3.13 and later.
                raise UsageError(f"{job}: its links form a loop; give the results of a job") from None
            resolved = path  # The reason why it cannot be read follows below.
        if resolved in known_paths:
            raise UsageError(f"{job} is given twice, and the same runs prove nothing new; give it once")
        known_paths.add(resolved)
        _refuse_outside(path, Path(directories.get(job, job)))
        try:
            runs = outcomes(json.loads(_in_bounds(input_file.whole(str(path), _MOST_BYTES))), job)
        except NotADirectoryError:
            raise UsageError(
                f"{job} is a file; give the results of a job, a directory or a .tar.gz of it: unpack a .zip, and "
                "judge a recording by `analyze`"
            ) from None
        except OSError as error:
            raise UsageError(
                f"{path}: {error.strerror}; give the results of a job, such as job-results/latest, or compare builds "
                "of QEMU by verify --qemu"
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
    """Return `data`; raises UsageError if it has so many parts that they would take far more memory than it is long."""
    parts = sum(map(data.count, (b",", b"[", b"{")))
    if parts > _ANYHOW_PARTS + len(data) / _BYTES_A_PART:
        raise UsageError(f"has {parts} parts in {len(data)} bytes, more than any results; give the results of a job")
    return data


def by_build(runs: Iterable[RunOutcome]) -> list[list[RunOutcome]]:
    """The runs of each build."""
    runs_of: dict[str, list[RunOutcome]] = {}
    for run in runs:
        runs_of.setdefault(run.build, []).append(run)
    return list(runs_of.values())
