# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the host's own programs."""

import os
import shutil

_ADMINISTRATORS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where distributions put programs such as tc. An ordinary user may run them, although they are not on his PATH."""

WHERE = "on the PATH or in /usr/sbin"
"""Where `find_program` searches, for messages."""


def find_program(name: str) -> str | None:
    """The path of a program on the PATH or in an administrator's directory; None if there is none."""
    path = os.environ.get("PATH", os.defpath)
    return shutil.which(name, path=os.pathsep.join([path, *_ADMINISTRATORS]))
