# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs with sides on other hosts: how they are told so, how far they are, and what they leave there."""

import re
import subprocess
import time

from .ssh_hosts import OTHER, THIRD, Hosts

ON_TCG = ("-p", "arch=x86_64", "-p", "accel=tcg")
TO_OTHER = ("-p", f"destination_host={OTHER}")
FROM_OTHER = ("-p", f"source_host={OTHER}")
FROM_OTHER_TO_THIRD = (*FROM_OTHER, "-p", f"destination_host={THIRD}")
SMALL = ("-p", "page_size=4K")
LONG = ("-p", "passes=1000", "-p", "time_limit=600")
_UNDER_WAY = re.compile(r"migdowntime judge: pass ([2-9]|\d\d)")
_GONE_S = 60
"""What runs on a host that hears nothing waits for 10 s; this holds on a busy one, too."""


def left(hosts: Hosts) -> list[str]:
    """What is left on other hosts when that was waited for."""
    until_s = time.monotonic() + _GONE_S
    while (left := hosts.left()) and time.monotonic() < until_s:
        time.sleep(0.1)
    return left


def under_way(process: "subprocess.Popen[str]") -> bool:
    """Wait for the second pass or one after it."""
    assert process.stdout is not None
    return any(_UNDER_WAY.match(line) for line in process.stdout)
