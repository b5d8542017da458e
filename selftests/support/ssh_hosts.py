# SPDX-License-Identifier: GPL-2.0-or-later
"""Two or three hosts on this machine: this one, and others with their own processes, network, /tmp and sshd.

Each other host is a set of namespaces; where this checkout is, it has an empty directory. A bridge joins them, in
networks that nobody else uses. Use `Hosts.run` or `Hosts.start` to run something on the first host.
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

ADDRESSES = ("198.18.7.1", "198.18.7.2", "198.18.7.3")
OTHER, THIRD = (f"root@{address}" for address in ADDRESSES[1:])
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
ip address add {address}/24 dev wire
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
    """`home` is the home of the first host's user; each other host ends with its process in `inits`."""

    home: Path
    network: Path
    inits: "dict[str, subprocess.Popen[bytes]]"

    def command(self, *words: str, at: str = ADDRESSES[0]) -> list[str]:
        """The command that runs `words` on the first host, or in another host's network with the first's files."""
        network = self.network if at == ADDRESSES[0] else f"/proc/{inner(self.inits[at])}/ns/net"
        return ["nsenter", f"--net={network}", *words]

    def start(self, *words: str, at: str = ADDRESSES[0], **more: object) -> "subprocess.Popen[str]":
        """Start the package's command there."""
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

    def there(self, address: str, script: str) -> str:
        """The output of a shell script on another host."""
        line = ["nsenter", "--all", f"--target={inner(self.inits[address])}", "sh", "-c", script]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout

    def left_there(self, *addresses: str) -> list[str]:
        """Processes of these other hosts, or of all, except their sshd; and directories and mounts of runs."""
        look, found = "ls -d /tmp/migdowntime-* 2>/dev/null; grep hugetlbfs /proc/mounts; true", []
        for address in addresses or self.inits:
            space = os.readlink(f"/proc/{inner(self.inits[address])}/ns/pid")
            found += [*processes(space), *self.there(address, look).splitlines()]
        return found

    def kill(self, address: str) -> None:
        """Kill another host with everything on it."""
        self.inits[address].kill()
        self.inits[address].wait()

    def cut(self, address: str) -> None:
        """Take the link to another host down."""
        self._hub("link", "set", _port(address), "down")

    def mend(self, address: str) -> None:
        """Take it up again."""
        self._hub("link", "set", _port(address), "up")

    def add(self, keys: Path, address: str) -> None:
        """Create another host, joined to the first one."""
        sshd = shutil.which("sshd", path=PATH)
        script = _INSIDE.format(keys=keys, address=address, sshd=sshd, checkout=TOP)
        line = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script]
        with (self.home.parent / f"{address}.log").open("wb") as log:
            self.inits[address] = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        peer = ("type", "veth", "peer", "name", "wire", "netns", str(inner(self.inits[address])))
        self._hub("link", "add", _port(address), *peer)
        self._hub("link", "set", _port(address), "master", "hub")
        self._hub("link", "set", _port(address), "up")

    def begin(self) -> None:
        """Create the bridge that the others are joined to."""
        subprocess.run(["unshare", f"--net={self.network}", "ip", "link", "set", "lo", "up"], check=True)
        self._hub("link", "add", "hub", "type", "bridge")
        self._hub("address", "add", f"{ADDRESSES[0]}/24", "dev", "hub")
        self._hub("link", "set", "hub", "up")

    def _hub(self, *words: str) -> None:
        subprocess.run(self.command("ip", *words), check=True)


def _port(address: str) -> str:
    return f"to{address.rpartition('.')[2]}"


def processes(space: str, but: Collection[str] = ("sshd",)) -> Iterator[str]:
    """The processes in a PID namespace, except programs of these names."""
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # It may have just ended.
            program = (directory / "comm").read_text().strip()
            if os.readlink(directory / "ns" / "pid") == space and program not in but:
                yield f"process {program}"


def inner(init: "subprocess.Popen[bytes]") -> int:
    """The first process of another host, by its process id here."""
    children = Path(f"/proc/{init.pid}/task/{init.pid}/children")
    deadline_s = time.monotonic() + _PATIENCE_S
    while not (pids := children.read_text().split()):
        assert time.monotonic() < deadline_s, "another host has not begun"
        time.sleep(0.05)
    return int(pids[0])


@contextmanager
def other_hosts(count: int) -> Iterator[Hosts]:
    """This host and one or two others; only root can create them. On leaving, everything on them ends."""
    directory = Path(tempfile.mkdtemp(prefix="mdt-hosts-", dir="/tmp"))
    made = Hosts(directory / "home", directory / "network", {})
    try:
        keys = keys_of(directory)
        made.network.touch()
        made.begin()
        for address in ADDRESSES[1 : count + 1]:
            made.add(keys, address)
        _know(made)
        yield made
    finally:
        for init in made.inits.values():
            init.kill()
            init.wait()
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", str(made.network)], check=True)
        shutil.rmtree(directory)


def keys_of(directory: Path) -> Path:
    """The files that each sshd needs; the first host's user has the key to it."""
    keys, ssh = directory / "keys", directory / "home" / ".ssh"
    keys.mkdir()
    ssh.mkdir(parents=True, mode=0o700)
    for name in (keys / "host_key", ssh / "id_ed25519"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(name)], check=True)
    shutil.copy(ssh / "id_ed25519.pub", keys / "authorized_keys")
    (keys / "sshd_config").write_text(_CONFIG)
    return keys


def _know(hosts: Hosts) -> None:
    """Wait for each sshd, and learn its key."""
    deadline_s = time.monotonic() + _PATIENCE_S
    known = ""
    for address, init in hosts.inits.items():
        scan = hosts.command("ssh-keyscan", "-T", "2", address)
        while not (found := subprocess.run(scan, capture_output=True, text=True, check=False).stdout):
            assert init.poll() is None and time.monotonic() < deadline_s, f"{address} has no sshd"
            time.sleep(0.1)
        known += found
    (hosts.home / ".ssh" / "known_hosts").write_text(known)
