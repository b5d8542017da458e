# SPDX-License-Identifier: GPL-2.0-or-later
"""Several hosts on this machine that a job spreads its tests over; this machine runs the job.

The environment that the tests run in is elsewhere than here, so nothing that is left on one host is visible on another.
"""

import gzip
import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from .avocado_command import write_tests
from .namespace_hosts import ADDRESSES, NamespaceHosts, namespace_hosts
from .recorded import ACCURATE
from .waiting import HANGS_S

PYTHON = "/run/environment/bin/python"
_SETUP_HOOK = 'export PATH="/run/environment/bin:$PATH"'
"""For Avocado's own remote spawner, which runs python3 of the PATH."""
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


class Lab(NamespaceHosts):
    """Hosts with the environment of this Python, and so with this package."""

    MORE = f"mkdir -p /run/environment; mount --bind {sys.prefix} /run/environment"
    EXPECTED = ("sshd", "bash", "sh")
    """The shells that a job opens end only with its connections."""

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
        server = ("--status-server-disable-auto", "--status-server-listen", f"{ADDRESSES[0]}:8888")
        spread = ("--spawner", "migdowntime-hosts", *server, "--status-server-uri", f"{ADDRESSES[0]}:8888")
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


def lab(hosts: int) -> AbstractContextManager[Lab]:
    """Create that many hosts; only root can. On leaving, everything on them ends."""
    return namespace_hosts(Lab, hosts)


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
