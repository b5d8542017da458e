# SPDX-License-Identifier: GPL-2.0-or-later
"""The origin of an output, for readers who get it by mail: host, tool and command."""

import os
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

DISTRIBUTION = "avocado-framework-plugin-migdowntime"


def heading(subjects: Sequence[tuple[str, str]], on_this_host: bool) -> str:
    """Labelled lines: what was tested, the host if it matters, the tool with its version, the command."""
    from ..report.verdict_text import table

    tested = [("tested", f"{build}: {what or 'no verdict'}") for build, what in subjects]
    host = f"{platform.machine()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}"
    rows = [*tested, *([("host", host)] if on_this_host else []), ("tool", _tool()), ("command", _command())]
    return table(rows)


def _tool() -> str:
    from importlib import metadata

    try:
        return f"avocado_migdowntime {metadata.version(DISTRIBUTION)}"
    except metadata.PackageNotFoundError:
        return "avocado_migdowntime, not installed"


def _command() -> str:
    program = Path(sys.argv[0])
    words = ["python", "-m", program.parent.name] if program.name == "__main__.py" else [program.name]
    return shlex.join([*words, *sys.argv[1:]])
