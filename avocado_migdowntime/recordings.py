# SPDX-License-Identifier: GPL-2.0-or-later
"""Where traces are: files, and the results of Avocado jobs."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from .errors import BadInput

_IN_A_JOB = "test-results/*/data/trace.jsonl"


def traces_of(places: Iterable[str]) -> Iterator[str]:
    """The paths of the traces that `places` are (files; - is standard input) or hold (directories of jobs' results).

    Raises BadInput where a directory holds none.
    """
    for place in places:
        if not Path(place).is_dir():
            yield place
            continue
        found = sorted(Path(place).glob(_IN_A_JOB))
        if not found:
            raise BadInput(f"{place} holds no {_IN_A_JOB}; give the results of a job, such as job-results/latest")
        yield from map(str, found)
