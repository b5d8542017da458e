# SPDX-License-Identifier: GPL-2.0-or-later
"""Each command that README and docs show runs as it stands there."""

import pytest

from ..support import documented
from ..support.documents import FINDS_A_FAULT, RUN_ELSEWHERE, commands

TIMED = ("avocado run", "avocado migdowntime judge", "avocado migdowntime selftest")
"""How commands begin that judge timing."""


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, marks=[pytest.mark.alone] if command.startswith(TIMED) else [])
        for command in commands()
        if command not in RUN_ELSEWHERE
    ],
)
def test_each_command_of_the_documents_runs(command, once, nothing_left):
    ran = once(documented.ran, command)
    assert ran.status == (1 if command == FINDS_A_FAULT else 0), ran.output + ran.error
