# SPDX-License-Identifier: GPL-2.0-or-later
"""Two hosts on this machine: this one, and one with processes, a network, /tmp and an sshd of its own.

The other one is a set of namespaces; where this checkout is, it has an empty directory. They are joined by a veth pair,
in networks that nobody else is in. What is to run on the first host is started by `Hosts.run` or `Hosts.start`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .documents import TOP

ADDRESSES = ("198.18.7.1", "198.18.7.2")
OTHER = f"root@{ADDRESSES[1]}"
_PATIENCE_S = 60.0
PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
_INSIDE = """
set -eu
mount -t tmpfs none /run
mkdir -p /run/sshd /run/keys
cp {keys}/* /run/keys
mount -t tmpfs none /tmp
mount -t tmpfs none {checkout}
ip link set lo up
while ! ip link show wire >/dev/null 2>&1; do sleep 0.05; done
ip address add {address}/30 dev wire
ip link set wire up
exec {sshd} -D -e -f /run/keys/sshd_config
"""
_CONFIG = """
Port 22
HostKey /run/keys/host_key
AuthorizedKeysFile /run/keys/authorized_keys
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
PermitRootLogin prohibit-password
AllowUsers root
"""


@dataclass
class Hosts:
    """`home` is the home of who uses the first one; `init` the process whose end ends the second one."""

    home: Path
    network: Path
    init: subprocess.Popen[bytes]

    def command(self, *words: str) -> list[str]:
        """What runs these words on the first host."""
        return ["nsenter", f"--net={self.network}", *words]

    def start(self, *words: str, **more: object) -> "subprocess.Popen[str]":
        """Start the package's command on the first host."""
        line = self.command(sys.executable, "-m", "avocado_migdowntime", *words)
        environment = {**os.environ, "HOME": str(self.home), "TMPDIR": str(self.home), "PYTHONPATH": str(TOP)}
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "env": environment, **more}
        return subprocess.Popen(line, **given)

    def run(self, *words: str) -> tuple[int, str]:
        """Exit status and output of the package's command on the first host."""
        with self.start(*words) as process:
            out, _ = process.communicate()
        return process.returncode, out

    def there(self, *words: str) -> str:
        """What a command prints on the second host."""
        line = ["nsenter", "--all", f"--target={inner(self.init)}", *words]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout

    def left_there(self) -> list[str]:
        """Processes of the second host beside its sshd, and directories and mounts of runs."""
        space = os.readlink(f"/proc/{inner(self.init)}/ns/pid")
        left = "ls -d /tmp/migdowntime-* 2>/dev/null; grep hugetlbfs /proc/mounts; true"
        return [*processes(space), *self.there("sh", "-c", left).splitlines()]

    def cut(self) -> None:
        """Take the link between the two down."""
        subprocess.run(self.command("ip", "link", "set", "wire", "down"), check=True)

    def mend(self) -> None:
        """And up again."""
        subprocess.run(self.command("ip", "link", "set", "wire", "up"), check=True)


def processes(space: str, but: Collection[str] = ("sshd",)) -> Iterator[str]:
    """What runs in a process namespace, but programs of these names."""
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # It may have ended just now.
            program = (directory / "comm").read_text().strip()
            if os.readlink(directory / "ns" / "pid") == space and program not in but:
                yield f"process {program}"


def inner(init: "subprocess.Popen[bytes]") -> int:
    """The first process in the second host, by the number that it has here."""
    children = Path(f"/proc/{init.pid}/task/{init.pid}/children")
    deadline_s = time.monotonic() + _PATIENCE_S
    while not (pids := children.read_text().split()):
        assert time.monotonic() < deadline_s, "the second host has not begun"
        time.sleep(0.05)
    return int(pids[0])


@contextmanager
def two_hosts() -> Iterator[Hosts]:
    """The two of them; root alone can make them. On leaving, all that runs there ends."""
    directory = Path(tempfile.mkdtemp(prefix="mdt-hosts-", dir="/tmp"))
    network = directory / "network"
    init = None
    try:
        keys = keys_of(directory)
        network.touch()
        subprocess.run(["unshare", f"--net={network}", "ip", "link", "set", "lo", "up"], check=True)
        script = _INSIDE.format(keys=keys, address=ADDRESSES[1], sshd=shutil.which("sshd", path=PATH), checkout=TOP)
        line = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script]
        log = (directory / "sshd.log").open("wb")
        init = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        hosts = Hosts(directory / "home", network, init)
        _join(hosts)
        _know(hosts)
        yield hosts
    finally:
        if init is not None:
            init.kill()
            init.wait()
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", str(network)], check=True)
        shutil.rmtree(directory)


def keys_of(directory: Path) -> Path:
    """What the sshd is given; who uses the first host has the key to it."""
    keys, ssh = directory / "keys", directory / "home" / ".ssh"
    keys.mkdir()
    ssh.mkdir(parents=True, mode=0o700)
    for name in (keys / "host_key", ssh / "id_ed25519"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(name)], check=True)
    shutil.copy(ssh / "id_ed25519.pub", keys / "authorized_keys")
    (keys / "sshd_config").write_text(_CONFIG)
    return keys


def _join(hosts: Hosts) -> None:
    ends = ("type", "veth", "peer", "name", "wire", "netns", str(inner(hosts.init)))
    subprocess.run(hosts.command("ip", "link", "add", "wire", *ends), check=True)
    subprocess.run(hosts.command("ip", "address", "add", f"{ADDRESSES[0]}/30", "dev", "wire"), check=True)
    subprocess.run(hosts.command("ip", "link", "set", "wire", "up"), check=True)


def _know(hosts: Hosts) -> None:
    """Wait for the sshd, and know its key."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        scan = hosts.command("ssh-keyscan", "-T", "2", ADDRESSES[1])
        found = subprocess.run(scan, capture_output=True, text=True, check=False).stdout
        if found:
            (hosts.home / ".ssh" / "known_hosts").write_text(found)
            return
        assert hosts.init.poll() is None and time.monotonic() < deadline_s, "the second host has no sshd"
        time.sleep(0.1)
