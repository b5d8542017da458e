# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of the code for another host, and the command that reads it from standard input and runs it."""

import json
import shlex
from importlib.resources import files

_ROOM = "agent"
_MODULES = (
    "",
    "frames",
    "page_sums",
    "memory",
    "rate",
    "turn",
    "look",
    "keeper",
    "hugepages",
    "qemus",
    "service",
    "start",
)
"""The modules of the agent, in the order of their imports."""
_DIGITS = 9
_LOAD = f"""
import os, sys
if sys.version_info < (3, 9): sys.exit("its python3 is " + sys.version.split()[0])
import json, types
def take(size):
    data = b""
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more: sys.exit(0)
        data += more
    return data
for name, text in json.loads(take(int(take({_DIGITS})))):
    module = sys.modules[name] = types.ModuleType(name)
    module.__package__ = name.rpartition(".")[0] or name
    if "." not in name: module.__path__ = []
    exec(compile(text, name, "exec"), module.__dict__)
sys.modules["{_ROOM}.start"].main(SILENCE)
"""


def command(python: str, silence_s: float) -> str:
    """The command line for the other host's shell; the agent ends if it hears nothing for `silence_s`."""
    load = _LOAD.replace("SILENCE", repr(silence_s))
    return f"exec {shlex.quote(python)} -c {shlex.quote(load)}"


def program() -> bytes:
    """The start of the agent's standard input."""
    room = files(__package__.rpartition(".")[0]).joinpath(_ROOM)
    texts = [
        (f"{_ROOM}.{name}".rstrip("."), room.joinpath(f"{name or '__init__'}.py").read_text()) for name in _MODULES
    ]
    data = json.dumps(texts).encode()
    return f"{len(data):0{_DIGITS}}".encode() + data
