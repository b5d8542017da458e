# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts the files of tests that ran on other hosts where a local test's files would be."""

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from avocado.core.output import LOG_UI
from avocado.core.plugin_interfaces import ResultEvents

from ..basics.archive import unpack
from ..basics.printable import in_a_line
from ..basics.whole_file import for_this_user_alone
from ..errors import UsageError
from . import host_pool
from .far_files import DATA, ENDING, PREFIX

_ALL = re.compile(".*", re.DOTALL)


class MigDowntimeFarResults(ResultEvents):
    """Unpacks the files that a runner sent when its test ends; closes the connections to hosts when the job ends."""

    name = "migdowntime-far-results"
    description = "Files of migration downtime tests that ran on other hosts"

    def __init__(self, config: dict[str, Any]) -> None:
        """Avocado passes its settings; none is used."""

    def pre_tests(self, job: Any) -> None:
        """Nothing to do."""

    def start_test(self, result: Any, state: dict[str, Any]) -> None:
        """Nothing to do."""

    def test_progress(self, progress: bool = False) -> None:
        """Nothing to do."""

    def end_test(self, result: Any, state: dict[str, Any]) -> None:
        """Unpack the archives of this test, oldest first.

        A host that was lost while it sent leaves an incomplete archive. Its error is logged only if no later attempt's
        archive is whole.
        """
        host_pool.note_end(str(state.get("name")))
        directory = Path(state.get("logdir") or os.devnull)
        why: list[str] = []
        for archive in sorted(directory.glob(f"{PREFIX}*{ENDING}"), key=lambda path: path.stat().st_mtime):
            try:
                _unpack(archive, directory / DATA)
                why.clear()
            except UsageError as error:
                why.append(in_a_line(str(error)))
            archive.unlink()
        for each in why:
            LOG_UI.error("migdowntime: what a host sent cannot be used: %s", each)

    def post_tests(self, job: Any) -> None:
        """Close the connections: the last test has ended."""
        host_pool.leave()


def _unpack(archive: Path, data: Path) -> None:
    """Unpack all of `archive` or nothing, replacing what an earlier attempt left. Raises UsageError."""
    with for_this_user_alone(), tempfile.TemporaryDirectory(prefix=PREFIX, dir=data.parent) as apart:
        unpack(str(archive), Path(apart), _ALL, archive.name)
        if (directory := Path(apart, DATA)).is_dir():
            shutil.rmtree(data, ignore_errors=True)
            directory.rename(data)
