# SPDX-License-Identifier: GPL-2.0-or-later
"""Each command that README and docs show runs as it stands there."""

import pytest

from ..support import documented
from ..support.documents import RUN_ELSEWHERE, commands

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("command", [c for c in commands() if c not in RUN_ELSEWHERE])
def test_each_command_of_the_documents_runs(command, once, nothing_left):
    ran = once(documented.ran, command)
    assert ran.status == 0, ran.output + ran.error
