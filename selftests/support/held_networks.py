# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that holds a pair of QEMUs on a shaped link, to be killed; and a wait until its networks are gone."""

from .leftovers import network_namespaces
from .waiting import until

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


def wait_until_gone(networks: set[str]) -> None:
    """Wait until nothing on this host keeps these networks any more; fail if that takes long."""
    until(lambda: not networks & network_namespaces(), "the end of the networks", 0.05)
