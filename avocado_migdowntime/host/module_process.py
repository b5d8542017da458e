# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts a module of this package as a process."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of this package, such as `host.reaper`; run it in `environment`."""
    # -P: a json.py in the current directory must not be imported instead of the library's.
    return [sys.executable, "-P", "-m", f"{_PACKAGE.name}.{module}", *arguments]


def environment() -> Mapping[str, str]:
    """This process's environment, with the path of this package, which need not be installed."""
    return {**os.environ, "PYTHONPATH": str(_PACKAGE.parent)}
