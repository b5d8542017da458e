# SPDX-License-Identifier: GPL-2.0-or-later
"""What is refused before anything is launched."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from avocado_migdowntime.errors import UsageError
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.pair import launched_pair


def refusal(given: Mapping[str, str], directory: Path) -> str:
    """The error message for these parameters; fails the test if QEMUs are launched."""

    async def launch() -> None:
        async with launched_pair(parse(given), directory, print):
            raise AssertionError("it was launched")

    with pytest.raises(UsageError) as caught:
        asyncio.run(launch())
    return str(caught.value)
