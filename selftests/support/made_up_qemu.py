# SPDX-License-Identifier: GPL-2.0-or-later
"""An executable that is started like a QEMU, answers QMP as configured, and does what else it is told."""

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
    "query-qmp-schema": [
        {"name": "migrate-set-parameters", "meta-type": "command", "arg-type": "1", "ret-type": "2"},
        {
            "name": "1",
            "meta-type": "object",
            "members": [
                {"name": name, "type": kind, "default": None}
                for name, kind in {
                    "multifd-channels": "int",
                    "multifd-compression": "3",
                    "cpu-throttle-tailslow": "bool",
                    "block-bitmap-mapping": "[4]",
                    "warp-name": "5",
                }.items()
            ],
        },
        {"name": "2", "meta-type": "object", "members": []},
        {"name": "3", "meta-type": "enum", "values": ["none", "zstd"], "members": [{"name": "none"}, {"name": "zstd"}]},
        {"name": "[4]", "meta-type": "array", "element-type": "1"},
        {"name": "5", "meta-type": "alternate", "members": [{"type": "int"}]},
        {"name": "int", "meta-type": "builtin", "json-type": "int"},
        {"name": "bool", "meta-type": "builtin", "json-type": "boolean"},
    ],
}
"""A QEMU's answers to a probe."""

_SCRIPT = """#!{python} -S
import json, os, socket, sys, time
sys.path.insert(0, {top!r})
from selftests.support.made_up_monitor import answering
at = next(word for word in sys.argv if word.startswith("socket,id=qmp,path="))
{first}
with socket.socket(socket.AF_UNIX) as client:
    client.connect(at.removeprefix("socket,id=qmp,path="))
    answering(client, json.loads({answers!r}))
"""


def made_up_qemu(path, answers=PROBED, first=""):
    """Write one to `path`, and return that; `first` is Python that it runs first."""
    path.write_text(_SCRIPT.format(python=sys.executable, top=str(TOP), first=first, answers=json.dumps(answers)))
    os.chmod(path, 0o755)
    return str(path)
