# SPDX-License-Identifier: GPL-2.0-or-later
"""Two real libvirtd that each believe to have a host of their own, and a guest that they migrate.

They and their QEMUs are in a PID namespace, which ends with its first process, and that with this process. They see
their own directories in place of /run, /var and /etc/libvirt; nothing of them is on the host but the sockets.
"""

import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .waiting import until

LIBVIRTD = shutil.which("libvirtd", path="/usr/sbin:/usr/bin")
GUEST = "dirtier"
IMAGE = Path(__file__).resolve().parents[2] / "images/x86_64/dirtier.elf"
_OWN = ("/run", "/var/lib", "/var/cache", "/var/log", "/etc/libvirt")
_HOST = """
ip link set lo up
for side in source destination; do
    unshare --mount --uts sh -c '
        for path in {own}; do mount -t tmpfs own $path; done
        cp {directory}/qemu.conf /etc/libvirt
        for file in passwd group; do mount --bind {directory}/$file /etc/$file; done
        hostname mdt-'$side'
        exec {libvirtd} --config {directory}/'$side'/libvirtd.conf >{directory}/'$side'/log 2>&1
    ' &
done
wait
"""
_LIBVIRTD = """
host_uuid = "{host}"
unix_sock_dir = "{directory}"
auth_unix_ro = "none"
auth_unix_rw = "none"
"""
_QEMU = """
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
migration_port_min = 49152
"""
_DOMAIN = """
<domain type="qemu" xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">
  <name>{name}</name>
  <memory unit="MiB">128</memory>
  <os><type arch="x86_64" machine="pc">hvm</type><kernel>{image}</kernel><cmdline>{orders}</cmdline></os>
  <features><acpi/></features>
  <devices><emulator>{emulator}</emulator><controller type="usb" model="none"/><memballoon model="none"/></devices>
</domain>
"""


class Libvirtds:
    """Two libvirtd, `source` and `destination`, until `end`; `directory` has a short path."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._migrations: list[subprocess.Popen[str]] = []
        (directory / "qemu.conf").write_text(_QEMU)
        for file, entry in (("passwd", "libvirt-qemu:x:61235:61235::/:/bin/false"), ("group", "libvirt-qemu:x:61235:")):
            # libvirtd looks for a user of this name, even if told another; where it runs as a service, that user
            # exists.
            (directory / file).write_text(f"{Path('/etc', file).read_text()}{entry}\n")
        for side in ("source", "destination"):
            (directory / side).mkdir()
            text = _LIBVIRTD.format(host=uuid.uuid4(), directory=directory / side)
            (directory / side / "libvirtd.conf").write_text(text)
        script = _HOST.format(own=" ".join(_OWN), directory=directory, libvirtd=LIBVIRTD)
        spaces = ("--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL")
        # The first process of the namespace ends with unshare, and that with this thread.
        line = ["setpriv", "--pdeathsig", "KILL", "unshare", *spaces, "sh", "-euc", script]
        self._process = subprocess.Popen(line, stdin=subprocess.DEVNULL)
        until(lambda: all((directory / side / "libvirt-sock").exists() for side in ("source", "destination")))

    def uri(self, side: str = "source", socket: str = "libvirt-sock") -> str:
        """The URI for virsh and others; the socket `libvirt-sock-ro` is for read-only users."""
        return f"qemu+unix:///system?socket={self.directory / side / socket}"

    def virsh(self, *words: str, side: str = "source") -> str:
        """The output of virsh."""
        line = ["virsh", "--connect", self.uri(side), *words]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout

    def start(self, orders: str = "region=20M rate=3000 flush=yes", name: str = GUEST) -> None:
        """Start a guest at the source."""
        text = _DOMAIN.format(name=name, image=IMAGE, orders=orders, emulator=shutil.which("qemu-system-x86_64"))
        (self.directory / f"{name}.xml").write_text(text)
        self.virsh("create", str(self.directory / f"{name}.xml"))

    def migrate(self, mb_per_s: int, limit_ms: int, name: str = GUEST) -> "subprocess.Popen[str]":
        """Start to migrate it, at a bandwidth in MiB per second, under this downtime-limit."""
        line = ["virsh", "--connect", self.uri("source"), "migrate", "--live", "--bandwidth", str(mb_per_s)]
        uris = [self.uri("destination"), "--migrateuri", "tcp://127.0.0.1"]
        process = subprocess.Popen([*line, name, *uris], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._migrations.append(process)
        until(lambda: process.poll() is not None or "Unbounded" in self.virsh("domjobinfo", name))
        assert process.poll() is None, process.communicate()
        self.virsh("migrate-setmaxdowntime", name, str(limit_ms))
        return process

    def kill(self, side: str, number: int = signal.SIGKILL) -> None:
        """Send this daemon a signal, for example one that ends it like a crash: its QEMUs go on."""
        for pid in self._daemons(side):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def runs(self, side: str) -> bool:
        """Whether this daemon is still there: 9.0 sometimes crashes when a migrating guest is destroyed."""
        return bool(self._daemons(side))

    def _daemons(self, side: str) -> list[int]:
        told = f"{self.directory / side}/libvirtd.conf".encode()
        found = []
        for line in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # It has ended meanwhile.
                if told in line.read_bytes().split(b"\0"):
                    found.append(int(line.parent.name))
        return found

    @contextmanager
    def stopped(self, side: str) -> Iterator[None]:
        """Stop this daemon during the block."""
        self.kill(side, signal.SIGSTOP)
        yield
        self.kill(side, signal.SIGCONT)

    def end(self) -> None:
        """End everything."""
        for process in (self._process, *self._migrations):
            process.kill()
            process.wait()
