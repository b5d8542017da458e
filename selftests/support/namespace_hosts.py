# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts on this machine: sets of namespaces with their own processes, network, sshd, /tmp and /run.

Where this checkout is, each has an empty directory. A bridge joins them and one more network, in which this machine's
own files and processes are used; no other network is touched.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from .documents import TOP
from .waiting import HANGS_S, until

ADDRESSES = tuple(f"198.18.7.{number}" for number in range(1, 255))
"""The first is that of this machine in their network, the next are the hosts'."""
_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
_INSIDE = """
set -eu
mount -t tmpfs none /run
mkdir -p /run/sshd /run/keys
cp {keys}/* /run/keys
{more}
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
class NamespaceHosts:
    """`home` is the home of this machine's user; each host, by its address, ends with its process in `inits`."""

    home: Path
    network: Path
    inits: "dict[str, subprocess.Popen[bytes]]"

    MORE: ClassVar[str] = ""
    """Shell commands that each host runs when it begins."""
    EXPECTED: ClassVar[tuple[str, ...]] = ("sshd",)
    """Programs on a host that nothing has left there."""

    @property
    def names(self) -> list[str]:
        return list(self.inits)

    def command(self, *words: str, at: str = ADDRESSES[0]) -> list[str]:
        """The command that runs `words` on this machine, in its network or in that of a host."""
        network = self.network if at == ADDRESSES[0] else f"/proc/{self._pid(at)}/ns/net"
        return ["nsenter", f"--net={network}", *words]

    def there(self, name: str, script: str, data: bytes = b"") -> str:
        """The output of a shell script on a host, given `data`."""
        line = ["nsenter", "--all", f"--target={self._pid(name)}", "sh", "-c", script]
        return subprocess.run(line, input=data, stdout=subprocess.PIPE, check=True).stdout.decode()

    @property
    def given(self) -> Path:
        """A directory that each host and this machine have, once a file was given."""
        return self.home / "given"

    def give(self, name: str, data: bytes, *hosts: str) -> str:
        """Store this file on each host, or on these, under the same name."""
        file = self.given / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
        for host in hosts or self.names:
            self.there(host, f"mkdir -p {file.parent} && cat > {file}", data)
        return str(file)

    def left(self, *names: str) -> list[str]:
        """What is left on these hosts, or on all: processes, files but those given, directories and mounts of runs."""
        files = f"find /tmp \\( -type f -o -name 'migdowntime-*' \\) -not -path '{self.given}/*'"
        look, found = f"{files}; grep hugetlbfs /proc/mounts; true", []
        for name in names or self.names:
            found += [*self._processes(name), *self.there(name, look).splitlines()]
        return found

    def kill(self, name: str) -> None:
        """Kill a host with everything on it."""
        self.inits[name].kill()
        self.inits[name].wait()

    def cut(self, name: str) -> None:
        """Take the link to a host down."""
        self._hub("link", "set", _port(name), "down")

    def mend(self, name: str) -> None:
        """Take it up."""
        self._hub("link", "set", _port(name), "up")

    def spaces(self) -> set[str]:
        """The PID namespaces of all hosts."""
        return {os.readlink(f"/proc/{self._pid(name)}/ns/pid") for name in self.names}

    def begin(self, count: int) -> None:
        """Create the bridge, and that many hosts."""
        keys = _keys_of(self.home)
        self.network.touch()
        subprocess.run(["unshare", f"--net={self.network}", "ip", "link", "set", "lo", "up"], check=True)
        self._hub("link", "add", "hub", "type", "bridge")
        self._hub("address", "add", f"{ADDRESSES[0]}/24", "dev", "hub")
        self._hub("link", "set", "hub", "up")
        for name in ADDRESSES[1 : count + 1]:
            self._add(keys, name)
        known = "".join(self._key(name) for name in self.names)
        (self.home / ".ssh" / "known_hosts").write_text(known)

    def end(self) -> None:
        """End all hosts, and remove their network."""
        for init in self.inits.values():
            init.kill()
            init.wait()
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", str(self.network)], check=True)

    def _hub(self, *words: str) -> None:
        subprocess.run(self.command("ip", *words), check=True)

    def _add(self, keys: Path, name: str) -> None:
        sshd = shutil.which("sshd", path=_PATH)
        script = _INSIDE.format(keys=keys, address=name, sshd=sshd, checkout=TOP, more=self.MORE)
        line = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script]
        with (keys.parent / f"{name}.log").open("wb") as log:
            self.inits[name] = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._hub("link", "add", _port(name), "type", "veth", "peer", "name", "wire", "netns", str(self._pid(name)))
        self._hub("link", "set", _port(name), "master", "hub")
        self.mend(name)

    def _key(self, name: str) -> str:
        """The key of a host's sshd, which is waited for."""
        scan = self.command("ssh-keyscan", "-T", "2", name)
        deadline_s = time.monotonic() + HANGS_S
        while not (found := subprocess.run(scan, capture_output=True, text=True, check=False).stdout):
            assert self.inits[name].poll() is None and time.monotonic() < deadline_s, f"{name} has no sshd"
            time.sleep(0.1)
        return found

    def _pid(self, name: str) -> int:
        """The first process of a host, by its process id here."""
        init = self.inits[name]
        children = Path(f"/proc/{init.pid}/task/{init.pid}/children")
        until(lambda: init.poll() is not None or children.read_text(), "a host's first process")
        return int(children.read_text().split()[0])

    def _processes(self, name: str) -> Iterator[str]:
        space = os.readlink(f"/proc/{self._pid(name)}/ns/pid")
        for directory in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # It may have just ended.
                program = (directory / "comm").read_text().strip()
                if os.readlink(directory / "ns" / "pid") == space and program not in self.EXPECTED:
                    yield f"process {program}"


Kind = TypeVar("Kind", bound=NamespaceHosts)


@contextmanager
def namespace_hosts(kind: type[Kind], count: int) -> Iterator[Kind]:
    """Create that many hosts; only root can. On leaving, everything on them ends."""
    with tempfile.TemporaryDirectory(prefix="mdt-hosts-", dir="/tmp") as directory:
        hosts = kind(Path(directory, "home"), Path(directory, "network"), {})
        try:
            hosts.begin(count)
            yield hosts
        finally:
            hosts.end()


def _keys_of(home: Path) -> Path:
    """The files that each sshd needs; the user with this home has the key to it."""
    keys, ssh = home.parent / "keys", home / ".ssh"
    keys.mkdir()
    ssh.mkdir(parents=True, mode=0o700)
    for name in (keys / "host_key", ssh / "id_ed25519"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(name)], check=True)
    shutil.copy(ssh / "id_ed25519.pub", keys / "authorized_keys")
    (keys / "sshd_config").write_text(_CONFIG)
    return keys


def _port(name: str) -> str:
    return f"to{name.rpartition('.')[2]}"
