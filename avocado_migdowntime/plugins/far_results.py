# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of tests that ran on other hosts, put where those of a local test lie."""

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
    """Unpacks what runners sent when their tests end, and ends the connections to hosts with the job."""

    name = "migdowntime-far-results"
    description = "Files of migration downtime tests that ran on other hosts"

    def __init__(self, config: dict[str, Any]) -> None:
        """Avocado gives its settings; there is none of these."""

    def pre_tests(self, job: Any) -> None:
        """Nothing is needed before."""

    def start_test(self, result: Any, state: dict[str, Any]) -> None:
        """Nothing has come yet."""

    def test_progress(self, progress: bool = False) -> None:
        """Nothing is shown of that."""

    def end_test(self, result: Any, state: dict[str, Any]) -> None:
        """A host that was lost while it sent has left a part: another attempt's archive is whole."""
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
        """The last test has ended."""
        host_pool.leave()


def _unpack(archive: Path, data: Path) -> None:
    """All of it or nothing, in the place of what another attempt left; raises UsageError."""
    with for_this_user_alone(), tempfile.TemporaryDirectory(prefix=PREFIX, dir=data.parent) as apart:
        unpack(str(archive), Path(apart), _ALL, archive.name)
        if (directory := Path(apart, DATA)).is_dir():
            shutil.rmtree(data, ignore_errors=True)
            directory.rename(data)
