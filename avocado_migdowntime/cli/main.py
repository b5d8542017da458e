# SPDX-License-Identifier: GPL-2.0-or-later
"""The sub-commands of `avocado migdowntime`, also of `python -m avocado_migdowntime`."""

import argparse
import errno
import io
import os
import re
import signal
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from itertools import chain, takewhile, zip_longest
from types import FrameType
from typing import Any, NoReturn

from ..basics.alike import meant
from ..basics.printable import in_a_line
from ..host.blas import use_one_thread
from . import BAD_INPUT, GROUPS, UNTOLD
from .help import of_all, of_command
from .output import close, complain, show, tell_missing

_SIGINT, _SIGPIPE = 128 + 2, 128 + 13
_OPTION = "--migdowntime-"
"""How options of `avocado run` start."""
_REQUIRED = "the following arguments are required"
"""How argparse's message about a missing argument starts. argparse checks this before unknown arguments."""
_CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)")
_NAME = re.compile(r"[\w-]+")
"""argparse's message about an unknown name, which lists the known ones."""


class _Command(argparse.ArgumentParser):
    """The parser of a sub-command: it refuses unknown arguments itself, with that command's exit status for bad usage.

    By default Avocado's class would be used, whose status is 4.
    """

    bad_usage = BAD_INPUT
    _words: Sequence[str] = ()

    def error(self, message: str) -> NoReturn:
        if message.startswith(_REQUIRED):
            misspelt = self._misspelt()
            message = self._unrecognized(misspelt) if misspelt else f"{message}{self._as_qemu()}"
        _refuse(self, self.bad_usage, message)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self._words = args
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unrecognized(unknown))
        for action in self._get_positional_actions():
            values = getattr(known, action.dest, None)
            if "" in (values if isinstance(values, list) else [values]):
                self.error(f"{action.metavar} is empty, as a shell's variable is that was never set; give one")
        return known, unknown

    def print_help(self, file: Any = None) -> None:
        _help(self, self.bad_usage)

    def _misspelt(self) -> Sequence[str]:
        """The options among the arguments that this command does not have."""
        options = [each for each in takewhile("--".__ne__, self._words) if each.startswith("--")]
        return [each for each in options if each.partition("=")[0] not in self._option_string_actions]

    def _unrecognized(self, unknown: Sequence[str]) -> str:
        options = [name for name in self._option_string_actions if name.startswith("--")]
        hint = _as_parameter(unknown, self._words) if "-p" in self._option_string_actions else ""
        wrong = next((each.partition("=")[0] for each in unknown if each.startswith("--")), None)
        wrong = wrong or next((each for each in self._words if f"-{each}" in options), None)
        if wrong and not hint:
            hint = f"; {meant(wrong, options)}"
        elif not hint and os.sep in unknown[0]:
            hint = self._as_qemu()
        return f"unrecognized arguments: {' '.join(unknown)}{hint}"

    def _as_qemu(self) -> str:
        """How to give what may be the path of a QEMU, if this command takes that and nothing without an option."""
        option = self._option_string_actions.get("--qemu")
        if option is None or self._get_positional_actions():
            return ""
        return f"; give each {option.metavar} as {option.option_strings[0]} {option.metavar}"


def _as_parameter(unknown: Sequence[str], words: Sequence[str]) -> str:
    """How to write an unknown argument among `words` that may be a test parameter.

    It may be NAME=VALUE, an option of `avocado run`, or the VALUE of `-p NAME VALUE`.
    """
    from ..parameters.table import Parameters

    for option, name, value in zip(words, words[1:], words[2:], strict=False):
        if option == "-p" and name in Parameters.__dataclass_fields__ and value in unknown:
            return f"; a parameter of the test is given as -p {name}={value}"
    for text, after in zip_longest(unknown, unknown[1:], fillvalue=""):
        option, equals, value = text.partition("=")
        name = option.removeprefix(_OPTION).lstrip("-").replace("-", "_")
        if equals or option.startswith(_OPTION) or name in Parameters.__dataclass_fields__:
            return f"; a parameter of the test is given as -p {name}={value if equals else after}"
    return ""


def _refuse(parser: argparse.ArgumentParser, status: int, message: str) -> NoReturn:
    if sys.stderr is not None:  # Otherwise it would be printed on standard output.
        parser.print_usage(sys.stderr)
    if choice := _CHOICE.search(message):
        message = f"{message[: choice.start()]}unknown {choice[1]!r}; {meant(choice[1], _NAME.findall(choice[2]))}"
    parser.exit(status, f"{parser.prog}: error: {in_a_line(message)}; see {parser.prog} --help\n")


def _help(parser: argparse.ArgumentParser, status: int) -> None:
    """Print a parser's help; exit with `status` if it cannot be written."""
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "the standard output is closed")
        show(parser.format_help().rstrip("\n"))
    except OSError as error:
        if sys.stdout is not None:
            close(sys.stdout)
        complain(f"migdowntime: {_said(error)}")
        sys.exit(status)


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands to `parser`, with their exit status for bad usage: Avocado's parser would exit with 4."""
    parser.error = partial(_refuse, parser, BAD_INPUT)  # type: ignore[method-assign]
    parser.print_help = partial(_help, parser, BAD_INPUT)  # type: ignore[method-assign]
    groups = {title: [import_module(f".{name}", __package__) for name in names] for title, names in GROUPS.items()}
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = of_all(groups)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Command)
    for module in chain.from_iterable(groups.values()):
        command = commands.add_parser(
            module.NAME,
            description=module.SUMMARY,
            epilog=of_command(module),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.bad_usage = getattr(module, "UNUSABLE", BAD_INPUT)
        command.set_defaults(migdowntime_run=module.run, migdowntime_unusable=command.bad_usage)
        module.configure(command)


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen sub-command; returns its exit status."""
    use_one_thread()
    unusable: int = arguments.migdowntime_unusable
    if sys.stderr is None:  # Otherwise print() would write to standard output.
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stdout is None:
        complain("migdowntime: the output cannot be written: the standard output is closed")
        return unusable
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may lack it; file names may not be text
    handlers_before = {
        # Avocado's handler of SIGTERM exits with 1, which has a meaning here.
        number: signal.signal(number, _as_ctrl_c)
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN  # as nohup does
    }
    try:
        status: int = arguments.migdowntime_run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _SIGINT
    except ModuleNotFoundError as error:
        tell_missing(arguments.migdowntime_run.__module__.rpartition(".")[2], error)
        return UNTOLD
    except OSError as error:
        close(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return _SIGPIPE
        complain(f"migdowntime: {in_a_line(_said(error))}")
        return unusable
    finally:
        for number, handler in handlers_before.items():
            if signal.getsignal(number) is _as_ctrl_c:  # An interrupted command ignores it until its end.
                signal.signal(number, handler)
    return status


def _said(error: OSError) -> str:
    if error.filename:
        return f"{error.filename} cannot be used: {error.strerror}"
    if isinstance(error, FileNotFoundError):
        if _has_current_directory():
            return f"{error.strerror}; make room in one of them, or set TMPDIR to a directory that you can write to"
        return "the current directory does not exist any more; change to another one"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"no more files can be opened: {error.strerror}; raise the limit, see ulimit -n"
    return f"the output cannot be written: {error.strerror}"


def _has_current_directory() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C would do at this moment; asyncio has its own handler for that."""
    handler = signal.getsignal(signal.SIGINT)
    (handler if callable(handler) else signal.default_int_handler)(number, frame)
