# SPDX-License-Identifier: GPL-2.0-or-later
"""An executable that is started as a QEMU is, answers QMP as it is told to, and does what else it is told."""

import json
import os
import sys

from .documents import TOP
from .made_up_monitor import MIGRATING

PROBED = {
    **MIGRATING,
    "query-machines": [{"name": "pc", "default-ram-id": "pc.ram"}],
    "query-kvm": {"enabled": False, "present": True},
    "query-command-line-options": [{"option": "sandbox", "parameters": []}],
    "query-migrate-capabilities": [{"capability": "events", "state": False}],
}
"""The answers of a QEMU to those who ask what it can do."""

_SCRIPT = """#!{python}
import json, os, socket, subprocess, sys, time
sys.path.insert(0, {top!r})
from selftests.support.made_up_monitor import answering
at = next(word for word in sys.argv if word.startswith("socket,id=qmp,path="))
{first}
with socket.socket(socket.AF_UNIX) as client:
    client.connect(at.removeprefix("socket,id=qmp,path="))
    answering(client, json.loads({answers!r}))
"""


def made_up_qemu(path, answers=PROBED, first=""):
    """The path of one that is written to `path`; what it does `first` is Python."""
    path.write_text(_SCRIPT.format(python=sys.executable, top=str(TOP), first=first, answers=json.dumps(answers)))
    os.chmod(path, 0o755)
    return str(path)
