# SPDX-License-Identifier: GPL-2.0-or-later
"""Several hosts on this machine, in a separate network with the one that runs the job.

Each is a set of namespaces, with its own processes, network, sshd, /tmp and /run. Where this checkout is, each has an
empty directory; the environment that the tests run in is elsewhere. So nothing that is left on one host is visible on
another.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .avocado_command import write_tests
from .documents import TOP
from .recorded import ACCURATE
from .ssh_hosts import PATH, inner, keys_of, processes
from .waiting import HANGS_S

HUB = "198.18.8.1"
PYTHON = "/run/environment/bin/python"
_SETUP_HOOK = 'export PATH="/run/environment/bin:$PATH"'
"""For Avocado's own remote spawner, which runs python3 of the PATH."""
_INSIDE = """
set -eu
mount -t tmpfs none /run
mkdir -p /run/sshd /run/keys /run/environment
cp {keys}/* /run/keys
mount --bind {environment} /run/environment
mount -t tmpfs none /tmp
mount -t tmpfs none {checkout}
ip link set lo up
while ! ip link show wire >/dev/null 2>&1; do sleep 0.05; done
ip address add {address}/24 dev wire
ip link set wire up
exec {sshd} -D -e -f /run/keys/sshd_config
"""


_REPLAYED = """
import os
import time

async def replay(parameters, directory, progress):
    (directory / "trace.jsonl").write_bytes(Path(__file__).with_name("trace.jsonl").read_bytes())
    (directory / "below").mkdir()
    (directory / "below" / "host").write_text(os.readlink("/proc/self/ns/net"))
    (directory / "large").write_bytes(os.urandom(3 << 20))
    progress("replays")
    until_s = time.monotonic() + parameters.time_limit / 100
    while time.monotonic() < until_s and not Path(__file__).with_name("go-on").exists():
        await asyncio.sleep(0.02)
    return ACCURATE

class Replayed(MigrationTest):
    def test(self):
        self.judge(replay)
"""
"""A test that leaves what a migration leaves, and waits a hundredth of its time limit, or until told to go on."""


@dataclass
class Lab:
    """`names` are the hosts' addresses; a host ends with its process in `inits`."""

    home: Path
    network: Path
    inits: dict[str, "subprocess.Popen[bytes]"]

    @property
    def names(self) -> list[str]:
        return list(self.inits)

    def command(self, *words: str) -> list[str]:
        """The command that runs these words on the host that runs the job."""
        return ["nsenter", f"--net={self.network}", *words]

    def slot(self, name: str, **more: str) -> str:
        """A file that names a host, in the format of Avocado's remote spawner."""
        ssh = self.home / ".ssh"
        login = {"host": name, "port": 22, "username": "root", "identity_file": str(ssh / "id_ed25519")}
        path = self.home / f"{name}-{len(list(self.home.iterdir()))}.json"
        known = {"user_known_hosts_file": str(ssh / "known_hosts"), "python": PYTHON}
        path.write_text(json.dumps({**login, **known, **more}))
        return str(path)

    def start(self, slots: list[str], *words: str) -> "subprocess.Popen[str]":
        """Start a job on the hosts in these slots, in its own process group; its results are below `home`."""
        (self.home / "lab.conf").write_text(f"[spawner.remote]\nslots = {slots!r}\nsetup_hook = {_SETUP_HOOK}\n")
        server = ("--status-server-disable-auto", "--status-server-listen", f"{HUB}:8888")
        spread = ("--spawner", "migdowntime-hosts", *server, "--status-server-uri", f"{HUB}:8888")
        many = ("--max-parallel-tasks", str(len(slots)), "--disable-sysinfo")
        run = ("--config", str(self.home / "lab.conf"), "run", *spread, *many, *words)
        line = self.command(sys.executable, "-P", "-m", "avocado", *run)
        environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        environment |= {"HOME": str(self.home), "TMPDIR": str(self.home), "PYTHONWARNINGS": "ignore"}
        given = {"cwd": self.home, "env": environment, "stdin": subprocess.DEVNULL}
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(line, text=True, start_new_session=True, **given, **output)

    def run(self, slots: list[str], *words: str) -> tuple[int, str]:
        """The exit status and output of a job."""
        with self.start(slots, *words) as process:
            out, _ = process.communicate(timeout=2 * HANGS_S)
        return process.returncode, out

    @property
    def latest(self) -> Path:
        return self.home / "avocado" / "job-results" / "latest"

    def tests(self) -> list[dict[str, str]]:
        """The last job's result of each test."""
        found: list[dict[str, str]] = json.loads((self.latest / "results.json").read_text())["tests"]
        return found

    @property
    def given(self) -> Path:
        """A directory that each host and this one have."""
        return self.home / "given"

    def give(self, name: str, data: bytes, *hosts: str) -> str:
        """Store this file on each host, or on these, under the same name."""
        file = self.given / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
        for host in hosts or self.names:
            self.there(host, f"mkdir -p {file.parent} && cat > {file}", data)
        return str(file)

    def there(self, name: str, script: str, data: bytes = b"") -> str:
        """The output of a shell script on a host, given `data`."""
        line = ["nsenter", "--all", f"--target={inner(self.inits[name])}", "sh", "-c", script]
        return subprocess.run(line, input=data, stdout=subprocess.PIPE, check=True).stdout.decode()

    def left(self, name: str) -> list[str]:
        """The processes on a host other than its sshd and that one's children, and the files that were left."""
        pid = inner(self.inits[name])
        look = f"find /tmp -type f -not -path '{self.given}/*'; grep hugetlbfs /proc/mounts; true"
        files = self.there(name, look).splitlines()
        return [*processes(os.readlink(f"/proc/{pid}/ns/pid"), ("sshd", "bash", "sh")), *files]

    def kill(self, name: str) -> None:
        """Kill the host with everything on it."""
        self.inits[name].kill()
        self.inits[name].wait()


@contextmanager
def lab(hosts: int) -> Iterator[Lab]:
    """Create that many hosts; only root can. On leaving, everything on them ends."""
    directory = Path(tempfile.mkdtemp(prefix="mdt-lab-", dir="/tmp"))
    made = Lab(directory / "home", directory / "network", {})
    try:
        keys = keys_of(directory)
        made.network.touch()
        subprocess.run(["unshare", f"--net={made.network}", "ip", "link", "set", "lo", "up"], check=True)
        _in_hub(made, "link", "add", "hub", "type", "bridge")
        _in_hub(made, "address", "add", f"{HUB}/24", "dev", "hub")
        _in_hub(made, "link", "set", "hub", "up")
        for number in range(1, hosts + 1):
            _add(made, keys, number)
        _know(made)
        yield made
    finally:
        for init in made.inits.values():
            init.kill()
            init.wait()
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", str(made.network)], check=True)
        shutil.rmtree(directory)


def give_recording(made: Lab) -> None:
    """Give all hosts a recording, which lies beside the tests that they are given."""
    made.give("trace.jsonl", gzip.decompress(ACCURATE.read_bytes()))


def give_replayed(made: Lab, directory: Path) -> None:
    """Give all hosts a test that replays a recording instead of a migration."""
    give_recording(made)
    made.give("replayed.py", write_tests(directory, _REPLAYED).read_bytes())


def replayed(made: Lab, variants: int) -> list[str]:
    """The arguments that run it that many times."""
    return in_variants(made, "replayed.py", variants)


def in_variants(made: Lab, file: str, variants: int) -> list[str]:
    """The arguments that run the tests of a file that hosts were given that many times."""
    tree = "run: !mux\n" + "".join(f"    v{number}:\n      rate: {number + 1}\n" for number in range(variants))
    (made.home / "variants.yaml").write_text(tree)
    return [str(made.given / file), "-m", "variants.yaml"]


def _in_hub(made: Lab, *words: str) -> None:
    subprocess.run(made.command("ip", *words), check=True)


def _add(made: Lab, keys: Path, number: int) -> None:
    name = f"198.18.8.{number + 1}"
    sshd = shutil.which("sshd", path=PATH)
    script = _INSIDE.format(keys=keys, address=name, sshd=sshd, checkout=TOP, environment=sys.prefix)
    line = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script]
    with (keys.parent / f"{name}.log").open("wb") as log:
        made.inits[name] = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    ends = ("type", "veth", "peer", "name", "wire", "netns", str(inner(made.inits[name])))
    _in_hub(made, "link", "add", f"to{number}", *ends)
    _in_hub(made, "link", "set", f"to{number}", "master", "hub")
    _in_hub(made, "link", "set", f"to{number}", "up")


def _know(made: Lab) -> None:
    """Wait for each sshd, and learn its key."""
    deadline_s = time.monotonic() + HANGS_S
    known = ""
    for name in made.names:
        while not (found := _scanned(made, name)):
            assert time.monotonic() < deadline_s, f"{name} has no sshd"
            time.sleep(0.1)
        known += found
    (made.home / ".ssh" / "known_hosts").write_text(known)


def _scanned(made: Lab, name: str) -> str:
    scan = made.command("ssh-keyscan", "-T", "2", name)
    return subprocess.run(scan, capture_output=True, text=True, check=False).stdout
