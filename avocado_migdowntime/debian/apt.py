# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's apt, with lists, packages and state in a separate directory."""

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import HostRequirementError
from ..host.parent import end_with_parent


class Apt:
    """Runs apt's commands and dpkg-deb, without root; the host's own settings apply in addition to `options`.

    For messages, `what` is what is wanted from Debian, and `otherwise` says how to do without. Raises
    HostRequirementError if this host has no apt, or if a command fails.
    """

    def __init__(self, directory: Path, what: str, otherwise: str, options: Sequence[str] = ()) -> None:
        self.directory = directory
        self._otherwise = otherwise
        for needed in ("apt-get", "dpkg-deb"):
            if shutil.which(needed) is None:
                raise HostRequirementError(f"this host has no {needed}, needed to get {what} from Debian; {otherwise}")
        for below in ("state/lists/partial", "cache/archives/partial", "tmp"):
            (directory / below).mkdir(parents=True, exist_ok=True)
        (directory / "status").touch()
        self._options = (
            f"Dir::State={directory}/state",
            f"Dir::State::status={directory}/status",
            f"Dir::Cache={directory}/cache",
            "APT::Sandbox::User=",
            "Acquire::Languages=none",
            *options,
        )

    @property
    def archives(self) -> Path:
        """Where `apt-get install --download-only` puts packages."""
        return self.directory / "cache" / "archives"

    async def apt(self, command: str, *arguments: str) -> str:
        """Run `command`, such as apt-get; return its output."""
        flags = [word for option in self._options for word in ("-o", option)]
        label = f"{command} {' '.join(arguments[-2:])}"
        mend = "see if this host's package sources can be reached"
        return await self._run((command, "--quiet=2", *flags, *arguments), label, mend)

    async def dpkg_deb(self, *arguments: str, output: int = asyncio.subprocess.PIPE) -> str:
        """Run `dpkg-deb`; return its output, unless that goes to the descriptor `output`."""
        label = f"dpkg-deb {' '.join(arguments[:2])}"
        return await self._run(("dpkg-deb", *arguments), label, "see if the disk is full", output)

    async def _run(self, command: Sequence[str], label: str, mend: str, output: int = asyncio.subprocess.PIPE) -> str:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.directory,
            # apt leaves its temporary files there when it is killed.
            env={**os.environ, "TMPDIR": str(self.directory / "tmp")},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.PIPE,
            # It must end with the harness, and so must its helpers: they would write where everything was cleaned up.
            preexec_fn=end_with_parent,
            process_group=0,
        )
        try:
            printed, failure = await process.communicate()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            raise
        if process.returncode:
            why = cause(failure.decode(errors="replace"))
            raise HostRequirementError(f"`{label}` failed: {why}; {mend}, or {self._otherwise}")
        return (printed or b"").decode(errors="replace")


def cause(output: str) -> str:
    """The line of a command's output that gives the reason: apt's first error, or any other command's last line."""
    lines = output.strip().splitlines() or ["it printed nothing"]
    return next((line.removeprefix("E:").strip() for line in lines if line.startswith("E:")), lines[-1]).rstrip(".")
