# SPDX-License-Identifier: GPL-2.0-or-later
"""Two or three hosts on this machine: the first is this machine in another network.

Use `Hosts.run` or `Hosts.start` to run something on the first host.
"""

import os
import subprocess
import sys
from contextlib import AbstractContextManager

from .documents import TOP
from .namespace_hosts import ADDRESSES, NamespaceHosts, namespace_hosts

OTHER, THIRD = (f"root@{address}" for address in ADDRESSES[1:3])


class Hosts(NamespaceHosts):
    """Hosts that have nothing of this package."""

    def start(self, *words: str, at: str = ADDRESSES[0], **more: object) -> "subprocess.Popen[str]":
        """Start the package's command on the first host, or in another host's network with the first's files."""
        return self.start_python("-m", "avocado_migdowntime", *words, at=at, **more)

    def start_python(self, *words: str, at: str = ADDRESSES[0], **more: object) -> "subprocess.Popen[str]":
        """Start this Python with the package there."""
        line = self.command(sys.executable, *words, at=at)
        environment = {**os.environ, "HOME": str(self.home), "TMPDIR": str(self.home), "PYTHONPATH": str(TOP)}
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "env": environment, **more}
        return subprocess.Popen(line, **given)

    def run(self, *words: str) -> tuple[int, str]:
        """The exit status and output of the package's command on the first host."""
        with self.start(*words) as process:
            out, _ = process.communicate()
        return process.returncode, out


def other_hosts(count: int) -> AbstractContextManager[Hosts]:
    """This host and one or two others; only root can create them. On leaving, everything on them ends."""
    return namespace_hosts(Hosts, count)
