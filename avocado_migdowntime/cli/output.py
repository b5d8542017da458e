# SPDX-License-Identifier: GPL-2.0-or-later
"""Output of the sub-commands: answers on standard output, all else on standard error, only printable characters."""

import json
import os
import sys
from typing import Any, TextIO

from ..basics.printable import in_a_line, in_lines, printable
from ..errors import MigDowntimeError, UsageError
from . import BAD_INPUT, UNTOLD


def show(text: str) -> None:
    """Print lines of an answer."""
    print(in_lines(text), flush=True)


def show_json(value: Any) -> None:
    """Print an answer for programs."""
    print(json.dumps(printable(value), indent=2))


def tell(command: str, text: str) -> None:
    """Print a line for people that is not part of `command`'s answer."""
    complain(f"migdowntime {command}: {in_a_line(text)}")


def complain(text: str) -> None:
    """Print lines on standard error. If they cannot be written, the answer and the exit status are the same without."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        close(sys.stderr)


def close(stream: TextIO) -> None:
    """Let everything that is still to be written to a standard `stream` disappear, also when the interpreter exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def tell_missing(command: str, error: ModuleNotFoundError) -> None:
    """Report that `command` needs a module of another package, which is not installed."""
    tell(command, f"there is no module {error.name}, which this command needs; install this package: pip install .")


def refuse(command: str, error: MigDowntimeError) -> int:
    """Report why `command` has no answer; return the exit status: BAD_INPUT for a UsageError, else UNTOLD."""
    tell(command, str(error))
    return BAD_INPUT if isinstance(error, UsageError) else UNTOLD
