# SPDX-License-Identifier: GPL-2.0-or-later
"""One host that tests run on by SSH: a remote shell, opened by the library that Avocado's own remote spawner uses."""

import getpass
import json
import os
import re
import shlex
import shutil
import sysconfig
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, partial
from operator import add
from pathlib import Path
from typing import Any

from ..errors import HarnessError, HostRequirementError, UsageError
from ..parameters.host_address import parse_host
from .ending import Ending
from .warm_runner import BEGUN, ENDED, READY

_SSH_PORT = 22
_LOGIN_S = 30.0
_PROMPT = r"[#$>%]\s*(\x1b\[[0-9;?]*[a-zA-Z])*\s*$"
_OWN_PROMPT, _SET_PROMPT = r"migdowntime-ready# $", "unset PROMPT_COMMAND; PS1='migdowntime-''ready# '"
"""The prompt of our shells, and the command that sets it: a shell echoes it, so it must not contain the prompt."""
_OPTIONS = "BatchMode=yes StrictHostKeyChecking=yes ServerAliveInterval=5 ServerAliveCountMax=3 ConnectTimeout=10"
"""SSH options: a host with an unknown key is refused; a host that is silent for 15 s counts as lost."""
_SHOWN = 200
"""The most characters of a host's greeting and of its shell's last words that are quoted."""
_ATTEMPTS = 2
_BEGINS_S = 60.0
_MODULE = "avocado_migdowntime.plugins.warm_runner"
_GONE = "migdowntime-gone"
_ENDED_MARK, _GONE_MARK = rf"{ENDED} (\d+)\s", rf"{_GONE} \d+\s"
_LACKS_IT = "No module named"


class HostLost(HarnessError):
    """The connection to a host has ended, so the result of its test is unknown."""


class HostUnfit(HarnessError):
    """A host's Python cannot run tests."""


class FarHost:
    """A slot of `spawner.remote.slots`: `USER@HOST[:PORT]`, or a file in the format of Avocado's remote spawner."""

    def __init__(self, slot: str) -> None:
        self._login, self.name = _of_file(slot) if Path(slot).is_file() else _of_address(slot)
        self.python = self._login.pop("python", "python3")
        self._session: Any = None
        self._lock = threading.Lock()

    def run(self, arguments: Sequence[str], within_s: float, ending: Ending) -> tuple[int, str]:
        """Run the host's Python with these arguments; return its exit status and the end of its output.

        `ending` makes it clean up and end, or keeps it from starting. Raises HostLost if the connection is lost,
        HostUnfit if the host's Python cannot run tests, and HostRequirementError if no connection can be opened.
        """
        from aexpect import exceptions

        try:
            session, output = self._begin(json.dumps(arguments), ending)
            if session is None:
                return 1, output
            with ending.by(partial(_interrupt, session)):
                # A short test may already have ended.
                if not _ended(output):
                    output += session.read_until_output_matches(
                        [_ENDED_MARK, _GONE_MARK], filter_func=partial(add, output), timeout=within_s
                    )[1]
        except exceptions.ExpectTimeoutError:
            self.close()
            return 1, f"it has not ended within {within_s:.0f} s"
        except exceptions.ExpectError as error:
            self.close()
            raise HostLost(f"the connection to {self.name} is gone") from error
        ended = _ended(output)
        assert ended is not None
        if not ended[1]:
            self.close()
            raise HostLost(f"what runs the tests on {self.name} is gone")
        return int(ended[1]), output[: ended.start()].strip()

    def _begin(self, line: str, ending: Ending) -> tuple[Any, str]:
        """Start the test in `line` and return the session and its output so far; or None and the reason.

        On a busy host, a line sent to a shell may get lost.
        """
        from aexpect import exceptions

        for _ in range(_ATTEMPTS):
            try:
                session = self._connected()
                if ending.is_asked:
                    return None, "the test was ended before it began"
                session.sendline(line)
                return session, session.read_until_output_matches([BEGUN, _GONE_MARK], timeout=_BEGINS_S)[1]
            except exceptions.ExpectTimeoutError:
                # If the test did start without our hearing of it, closing the connection ends it.
                self.close()
        raise HostLost(f"the shell on {self.name} does not begin a command that was sent to it")

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _connected(self) -> Any:
        from aexpect import exceptions, remote

        if self._session is None:
            _helper_apart()
            try:
                session = remote.remote_login(**self._login)
                session.set_prompt(_OWN_PROMPT)
                session.cmd_output(_SET_PROMPT)
            except (exceptions.ExpectError, exceptions.ShellError, remote.RemoteError) as error:
                why = _why_refused(error)
                if isinstance(error, remote.LoginTimeoutError):
                    why = f"its shell has shown no prompt that ends in #, $, > or % within {_LOGIN_S:.0f} s; {why}"
                raise HostRequirementError(
                    f"no shell can be opened on the host {self.name} by SSH ({why}); try `ssh {self.name} true`"
                ) from None
            self._session = session
            self._serve(session)
        return self._session

    def _serve(self, session: Any) -> None:
        """Start the program that runs tests there. Raises HostUnfit if it ends instead."""
        session.sendline(f"{shlex.join([self.python, '-m', _MODULE])}; echo {_GONE[:3]}''{_GONE[3:]} $?")
        found, output = session.read_until_output_matches([READY, _GONE_MARK], timeout=_BEGINS_S)
        if found == 0:
            return
        self.close()
        last = (re.split(_GONE_MARK, output)[0].strip().splitlines() or ["it says nothing"])[-1]
        fault = "lacks" if _LACKS_IT in last else "cannot run"
        raise HostUnfit(
            f"{self.python} of {self.name} {fault} this package ({last}); install there what is installed here, for "
            "that Python"
        )


def _why_refused(error: Exception) -> str:
    """What the client said, and the end of what the host showed, which may be long."""
    if (said := getattr(error, "msg", None)) is None:
        return " ".join(str(error).split())
    shown = " ".join(error.output.split())  # type: ignore[attr-defined]
    return f"{said}: {shown[-_SHOWN:]}" if shown else said


_HELPER_LOCK = threading.Lock()


def _helper_apart() -> Path:
    """Return the helper directory, created once for all threads.

    Without the lock two threads could create one each, and the one that the cache drops would be deleted while in use.
    """
    with _HELPER_LOCK:
        return Path(_helper_directory().name)


@cache
def _helper_directory() -> tempfile.TemporaryDirectory[str]:
    """A temporary directory, first on the PATH until this process ends, with a wrapper of the program by which aexpect
    opens shells.

    Ctrl-C would end that program, and so the connection, before the remote test is told to clean up. The wrapper runs
    it in its own session. The wrapper is also needed where a virtual environment is not activated: then the program is
    not on the PATH.
    """
    scripts = sysconfig.get_path("scripts")
    helper = shutil.which("aexpect_helper", path=os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)]))
    if helper is None:
        raise HostRequirementError("aexpect's program aexpect_helper is missing; pip install --force-reinstall aexpect")
    directory = tempfile.TemporaryDirectory(prefix="migdowntime-helper-")
    script = Path(directory.name, "aexpect_helper")
    script.write_text(f"#!/bin/sh\nexec setsid {shlex.quote(helper)}\n")
    script.chmod(0o700)
    os.environ["PATH"] = os.pathsep.join([directory.name, os.environ.get("PATH", os.defpath)])
    return directory


def _ended(output: str) -> re.Match[str] | None:
    """The end of a test in the output of its host; without a status if what runs the tests has ended."""
    return re.search(f"{_ENDED_MARK}|{_GONE_MARK}", output)


def _interrupt(session: Any) -> None:
    with suppress(Exception):  # The session may be gone; the thread that reads from it notices.
        session.sendcontrol("c")


def _of_address(slot: str) -> tuple[dict[str, Any], str]:
    address = parse_host(slot)
    return _dressed({"host": address.host, "port": address.port or _SSH_PORT, "username": address.user}), slot


def _of_file(slot: str) -> tuple[dict[str, Any], str]:
    try:
        fields = json.loads(Path(slot).read_bytes())
        return _dressed(fields), f"{fields['username']}@{fields['host']}"
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{slot} is not a slot of Avocado's remote spawner ({error}); give a JSON object with host, port and "
            "username, or USER@HOST[:PORT] instead of the file"
        ) from None


def _dressed(slot: dict[str, Any]) -> dict[str, Any]:
    """The arguments of aexpect's remote_login: the slot's fields, and defaults for fields it lacks."""
    options = " ".join(f"-o {option}" for option in _OPTIONS.split())
    login = {
        "client": "ssh",
        "port": _SSH_PORT,
        "password": "",
        "prompt": _PROMPT,
        "preferred_authentication": "publickey",
        "user_known_hosts_file": "~/.ssh/known_hosts",
        "timeout": _LOGIN_S,
        **slot,
    }
    login["username"] = login.get("username") or getpass.getuser()
    return {**login, "extra_cmdline": f"{options} {login.get('extra_cmdline', '')}".strip()}
