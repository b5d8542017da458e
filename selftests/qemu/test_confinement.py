# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMUs give up before a guest runs in them, as the kernel tells it."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from avocado_migdowntime.parameters.table import parse
from avocado_migdowntime.qemu.pair import launched_pair

pytestmark = pytest.mark.usefixtures("nothing_left")


def told(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    filtered = {int(re.search(r"^Seccomp:\t(\d)$", text, re.MULTILINE)[1]) for text in texts(pid, "status")}
    devices = {line.partition(":")[0].strip() for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]}
    return filtered, int(re.search(r"^NoNewPrivs:\t(\d)$", status, re.MULTILINE)[1]), devices


def texts(pid, name):
    return [path.read_text() for path in Path(f"/proc/{pid}/task").glob(f"*/{name}")]


@pytest.mark.parametrize("link", ["unix", "tcp"])
def test_both_qemus_have_a_filter_of_system_calls_and_no_network_that_they_do_not_need(tmp_path, link):
    parameters = parse(
        {"arch": "x86_64", "accel": "tcg", "page_size": "4K", "ram": "64M", "region": "16M", "link": link}
    )

    async def look():
        async with launched_pair(parameters, tmp_path, lambda _: None) as pair:
            return [told(qemu.pid) for qemu in (pair.source, pair.destination)]

    for filtered, no_new_privileges, devices in asyncio.run(look()):
        assert (filtered, no_new_privileges) == ({2}, 1)
        if link == "unix" and os.geteuid() == 0:
            assert devices <= {"lo"} | virtual()
        else:
            assert devices == set(os.listdir("/sys/class/net"))


def virtual():
    """What the kernel puts into each new network, such as sit0: tunnels that are down."""
    return {name for name in os.listdir("/sys/class/net") if name.endswith("0") and not name.startswith("e")}
