# SPDX-License-Identifier: GPL-2.0-or-later
"""Command lines of programs that measure or repeat: bad input ends in one sentence and status 2."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from avocado_migdowntime.basics.printable import in_a_line
from avocado_migdowntime.errors import MigDowntimeError, UsageError

_BAD_INPUT, _UNTOLD, _INTERRUPTED = 2, 125, 130
_MOST_NAMES = 12


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """A parser for `python -m MODULE` that takes no abbreviation; the description is printed as it stands."""
    return argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def run(main: Callable[[], int | None]) -> NoReturn:
    """End with the status of `main`. An error that this project raises on purpose is printed as one sentence."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except MigDowntimeError as error:
        print(in_a_line(str(error)), file=sys.stderr)
        sys.exit(_BAD_INPUT if isinstance(error, UsageError) else _UNTOLD)


def may_match(parser: argparse.ArgumentParser, what: str) -> None:
    """Let the program take `--match PATTERN`, which everything matches by default; `what` is the help of it."""
    parser.add_argument("--match", type=pattern, default="", metavar="PATTERN", help=what)


def matching(parser: argparse.ArgumentParser, pattern: re.Pattern[str], names: Iterable[str]) -> Sequence[str]:
    """The names that match; if none does, `parser` ends the program and lists some."""
    known = list(names)
    chosen = [name for name in known if pattern.search(name)]
    if not chosen:
        more = f"; and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
        listed = "; ".join(known[:_MOST_NAMES]) + more
        parser.error(f"--match {pattern.pattern!r} matches nothing; expected one of: {listed}")
    return chosen


def count(text: str) -> int:
    """A whole number from 1."""
    return _whole(text, 1)


def whole(text: str) -> int:
    """A whole number from 0."""
    return _whole(text, 0)


def positive(text: str) -> float:
    """A number above 0, such as some seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression."""
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a regular expression ({error})") from None


def directory(text: str) -> Path:
    """A directory that can be written to; it is created if it does not exist."""
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be created ({error.strerror})") from None
    return path


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a pair; expected NAME=VALUE")
    return name, value


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}")
    return value
