# SPDX-License-Identifier: GPL-2.0-or-later
"""Output of the sub-commands: answers on standard output, all else on standard error, only printable characters."""

import json
import sys
from typing import Any

from ..basics.printable import in_a_line, in_lines, printable


def show(text: str) -> None:
    """Print lines of an answer."""
    print(in_lines(text), flush=True)


def show_json(value: Any) -> None:
    """Print an answer for programs."""
    print(json.dumps(printable(value), indent=2))


def tell(command: str, text: str) -> None:
    """Print a line for people that is not part of `command`'s answer."""
    print(f"migdowntime {command}: {in_a_line(text)}", file=sys.stderr, flush=True)
