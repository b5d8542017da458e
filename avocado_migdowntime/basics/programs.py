# SPDX-License-Identifier: GPL-2.0-or-later
"""Finding the host's own programs."""

import os
import shutil

_ADMINISTRATORS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where distributions put programs such as tc; not on the PATH of an ordinary user, who may run them all the same."""

WHERE = "on the PATH or in /usr/sbin"
"""Where `find_program` looks, for messages."""


def find_program(name: str) -> str | None:
    """The path of a program that lies on the PATH or where administrators have theirs; None where there is none."""
    path = os.environ.get("PATH", os.defpath)
    return shutil.which(name, path=os.pathsep.join([path, *_ADMINISTRATORS]))
