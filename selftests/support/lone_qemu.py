# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that is independent of the harness, for tests that attach to one."""

import json
import os
import socket
import subprocess

from avocado_migdowntime.qemu.probe import find_binary

from .waiting import until


class Qemu:
    """A QEMU with two QMP sockets, one of them for the test's own commands."""

    def __init__(self, directory, *arguments):
        self.socket = directory / "qmp"
        binary, orders, content = find_binary(None, "x86_64"), directory / "orders", directory / "ram"
        # Zero pages would be sent in no time.
        content.write_bytes(os.urandom(16 << 20))
        line = [binary, "-nodefaults", "-display", "none", "-accel", "tcg", "-m", "256M", "-S", *arguments]
        line += ["-device", f"loader,file={content},addr=0x1000000,force-raw=on"]
        self._serial = directory / "serial"
        line += ["-serial", f"file:{self._serial}"]
        for path in (self.socket, orders):
            line += ["-qmp", f"unix:{path},server=on,wait=off"]
        self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL)
        self._orders = socket.socket(socket.AF_UNIX)
        until(lambda: self._listens(orders))
        self._lines = self._orders.makefile()
        self._lines.readline()
        self.execute("qmp_capabilities")

    def _listens(self, orders):
        """Whether a connection succeeded; the socket exists a moment before QEMU listens on it."""
        try:
            self._orders.connect(str(orders))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def execute(self, name, **arguments):
        self._orders.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
        while "return" not in (answer := json.loads(self._lines.readline())):
            assert "error" not in answer, answer
        return answer["return"]

    def run_guest(self):
        """Let the guest run, and return once it dirties memory: before that a migration may end in its first pass."""
        self.execute("cont")
        until(lambda: "migdowntime: ready" in self._serial.read_text())

    def migrate_slowly(self):
        """Start a migration that takes minutes."""
        self.execute("migrate-set-parameters", **{"max-bandwidth": 65536})
        self.execute("migrate", uri="exec:cat >/dev/null")

    def close(self):
        """End the QEMU."""
        self._lines.close()
        self._orders.close()
        self.process.kill()
        self.process.wait()
