# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that holds a pair of QEMUs on a shaped link, to be killed, and the wait until its networks have gone."""

import time

from .leftovers import network_namespaces

HARNESS = """
import asyncio, os, sys
from pathlib import Path
from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.pair import launched_pair
async def main():
    parameters = parse({"accel": "tcg", "page_size": "4K", "link": "shaped"})
    async with launched_pair(parameters, Path(sys.argv[1]), lambda _: None) as pair:
        print(*(os.readlink(f"/proc/{qemu.pid}/ns/net") for qemu in (pair.source, pair.destination)), flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
"""It prints the networks of the two, then waits."""

_GONE_S = 20.0


def wait_until_gone(networks: set[str]) -> None:
    """Return when nothing on this host keeps these networks any more; fails where that takes long."""
    deadline = time.monotonic() + _GONE_S
    while left := networks & network_namespaces():
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
