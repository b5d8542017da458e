# SPDX-License-Identifier: GPL-2.0-or-later
"""A user other than root. If root runs the tests, it is a user id without an account: nothing of it can stay.

It can use only what is below its home or belongs to the distribution, so not a Python in root's home.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from .ahead import Begun, begun
from .checkout import copied
from .waiting import HANGS_S

ROOT = os.geteuid() == 0
for_root = pytest.mark.skipif(not ROOT, reason="only root can prepare the host for it")
MAY_MAKE_NETWORKS = ROOT or not subprocess.run(["unshare", "--user", "--net", "true"], check=False).returncode
if_networks = pytest.mark.skipif(
    not MAY_MAKE_NETWORKS, reason="neither is this root nor may it make networks in a user namespace"
)
_UID = 61234
"""An id without an account: by Debian's policy, ids from 60000 on are allocated on request."""
PYTHON = "/usr/bin/python3"
PATH = "/usr/local/bin:/usr/bin:/bin"
NO_INDEX = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/",
    "PIP_RETRIES": "0",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_NO_CACHE_DIR": "1",
}
"""An environment in which pip finds nothing: port 9 is closed."""
_QUICKLY = {"PIP_NO_COMPILE": "no"}
"""Compiling everything that is installed takes longer than it saves; no-compile is enabled by a no."""


@dataclass(frozen=True)
class OrdinaryUser:
    """A user with a `home` and Debian's PATH for users, without /usr/sbin."""

    home: Path

    @classmethod
    @contextmanager
    def with_home(cls) -> Iterator[Self]:
        """A user that exists during the block."""
        home = Path(tempfile.mkdtemp(prefix="mdt-user-", dir="/tmp"))
        try:
            if ROOT:
                os.chown(home, _UID, _UID)
            yield cls(home)
        finally:
            shutil.rmtree(home)

    def given(self, *names: str) -> Path:
        """Give the user a checkout with everything in this one, or only these folders."""
        checkout = copied(self.home / "checkout", *names)
        if ROOT:
            subprocess.run(["chown", "--recursive", f"{_UID}:{_UID}", checkout], check=True)
        return checkout

    def set_up(self) -> Path:
        """Create the environment of the checkout, as far as runs need it; return the directory of its programs."""
        with self.setting_up() as begun:
            return self.programs(begun)

    def setting_up(self) -> AbstractContextManager[Begun]:
        """Start to create that environment."""
        where = self._where()
        return begun(self.command("make", ".venv/installed"), where["cwd"], where["env"])

    def programs(self, begun: Begun) -> Path:
        """The directory of the environment's programs, once it is created."""
        status, output = begun.ended()
        assert status == 0, output
        return self.home / "checkout" / ".venv" / "bin"

    def command(self, *words: str | Path) -> list[str | Path]:
        """The command line by which the user runs these words."""
        if not ROOT:
            return list(words)
        return ["/usr/bin/setpriv", f"--reuid={_UID}", f"--regid={_UID}", "--clear-groups", "--", *words]

    def environment(self, **more: str) -> Mapping[str, str]:
        """The user's environment, with this process's settings of pip and of proxies."""
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "MIGDOWNTIME_"))}
        kept |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        own = {"HOME": str(self.home), "PATH": PATH, "USER": "somebody", "LOGNAME": "somebody"}
        return {**kept, **_QUICKLY, **own, **more}

    def avocado(self, home: Path, *words: str) -> tuple[list[str], Mapping[str, str]]:
        """The command line and the environment of the user's `avocado`, with a home below the user's own."""
        if ROOT:
            os.chown(home, _UID, _UID)
        program = self.home / "checkout" / ".venv" / "bin" / "avocado"
        return list(map(str, self.command(program, *words))), self.environment(HOME=str(home), PYTHONWARNINGS="ignore")

    def run(self, *words: str | Path, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run these words in the checkout, if there is one, and wait; `more` goes into the environment."""
        return subprocess.run(self.command(*words), **self._where(**more), timeout=HANGS_S, check=False)

    def start(self, *words: str | Path, **more: str) -> "subprocess.Popen[str]":
        """Start these words there, in their own session."""
        return subprocess.Popen(self.command(*words), **self._where(**more), start_new_session=True)

    def _where(self, **more: str) -> dict[str, Any]:
        checkout = self.home / "checkout"
        return {
            "cwd": checkout if checkout.exists() else self.home,
            "env": self.environment(**more),
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "text": True,
        }
