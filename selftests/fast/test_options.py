# SPDX-License-Identifier: GPL-2.0-or-later
"""The command lines of what measures or repeats: bad input ends in one sentence and status 2, never in a traceback."""

import argparse
import re
from importlib import import_module

import pytest

from avocado_migdowntime.errors import HarnessError, HostRequirementError, UsageError
from bench import options

from ..support.documents import TOP

PROGRAMS = [
    *sorted(
        f"{path.parent.name}.{path.stem}"
        for folder in ("bench", "tools")
        for path in (TOP / folder).glob("*.py")
        if "options.parser(" in path.read_text() and path.stem != "options"
    ),
    "selftests.support.fault_runs",
]
WRONG = {
    options.count: ("0", "x"),
    options.whole: ("-1", "x"),
    options.positive: ("0", "x"),
    options.pattern: ("(",),
    options.pair: ("x",),
    options.directory: ("/proc/nowhere",),
    int: ("x",),
}
"""Wrong values of each type of option."""
CHECKED_LATER = {"reader", "qemu", "room", "again"}
"""Options without a type whose values the program itself compares with what it knows."""


class Parsed(Exception):
    """Stops a program where it has parsed its arguments."""


@pytest.fixture
def parser_of(monkeypatch):
    def caught(parser, *_, **__):
        raise Parsed(parser)

    def of(name):
        with monkeypatch.context() as patch:
            patch.setattr(argparse.ArgumentParser, "parse_args", caught)
            with pytest.raises(Parsed) as stopped:
                import_module(name).main()
        return stopped.value.args[0]

    return of


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_option_that_takes_a_value_refuses_a_wrong_one_in_a_sentence(name, parser_of, capsys):
    parser = parser_of(name)
    assert parser.prog == f"python -m {name}"
    for action in parser._actions:
        if action.type is None:
            assert action.nargs == 0 or action.choices or action.dest in CHECKED_LATER, action
        for wrong in WRONG.get(action.type, ()):
            with pytest.raises(SystemExit, match="^2$"):
                parser.parse_args([f"{action.option_strings[0]}={wrong}"] if action.option_strings else [wrong])
            said = capsys.readouterr().err.splitlines()[-1]
            assert said.startswith(f"{parser.prog}: error: argument ") and len(said) < 300


def test_programs_are_found():
    assert len(PROGRAMS) > 20


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (options.count, "0", "'0' is not a whole number from 1"),
        (options.count, "1.5", "'1.5' is not a whole number from 1"),
        (options.whole, "-1", "'-1' is not a whole number from 0"),
        (options.positive, "0", "'0' is not a number above 0"),
        (options.positive, "nan", "'nan' is not a number above 0"),
        (options.positive, "inf", "'inf' is not a number above 0"),
        (options.pattern, "^(", "'^(' is not a regular expression (missing ), unterminated subpattern at position 1)"),
        (options.pair, "arch", "'arch' is not a pair; expected NAME=VALUE"),
        (options.pair, "=1", "'=1' is not a pair; expected NAME=VALUE"),
        (options.directory, "/proc/nowhere", "'/proc/nowhere' cannot be created (No such file or directory)"),
    ],
)
def test_a_wrong_value_is_shown_with_what_was_expected(kind, text, says):
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{re.escape(says)}$"):
        kind(text)


def test_right_values_are_taken(tmp_path):
    assert (options.count("1"), options.whole("0"), options.positive("0.5")) == (1, 0, 0.5)
    assert options.pair("a=b=c") == ("a", "b=c") and options.pattern("^a").search("ab")
    assert options.directory(str(tmp_path / "new")).is_dir()


def test_a_pattern_that_matches_nothing_is_refused_with_what_there_is(capsys):
    parser = options.parser("bench.fuzz", "what it does")
    assert options.matching(parser, re.compile("b$"), ["ab", "ba", "b"]) == ["ab", "b"]
    for names, shown in ((["ab", "ba"], "ab; ba"), (map(str, range(10, 30)), "10; .*; 21; and 8 more")):
        with pytest.raises(SystemExit, match="^2$"):
            options.matching(parser, re.compile("x"), names)
        said = capsys.readouterr().err.splitlines()[-1]
        assert re.fullmatch(f"python -m bench.fuzz: error: --match 'x' matches nothing; expected one of: {shown}", said)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UsageError("no such\nfile"), 2, "no such\\nfile\n"),
        (HostRequirementError("no QEMU"), 125, "no QEMU\n"),
        (HarnessError("QEMU ended"), 125, "QEMU ended\n"),
        (KeyboardInterrupt(), 130, ""),
        (None, None, ""),
    ],
)
def test_an_error_that_is_raised_on_purpose_is_one_sentence(error, status, said, capsys):
    def main():
        if error is not None:
            raise error

    with pytest.raises(SystemExit) as ended:
        options.run(main)
    assert (ended.value.code, capsys.readouterr().err) == (status, said)
