#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mutation testing of the pure core by its quick tests: which changes to the code does no test notice?

`tools/mutants.py [ROOM]` tries all, those of a room or those of a file such as `comparison/compare`. It works on a copy
in `.mutants/`, and goes on there where a run before it ended: what was killed stays so until its function changes, all
else is tried anew. It prints the survivors and a table by room, and fails where a room's score is below its floor or an
entry of `selftests/mutants.toml`, survivors that are accepted, is of none.

mutmut makes the mutants and runs them. It mutates no function that has a decorator, so in the copy `@property` and its
like are taken off the function and put on after it. What is outside of functions it leaves as it is.
"""

import ast
import fnmatch
import json
import os
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parent.parent
COPY = TOP / ".mutants"
MUTATED = COPY / "mutants"
STATS = MUTATED / "mutmut-stats.json"
PACKAGE = "avocado_migdowntime"
ACCEPTED = TOP / "selftests" / "mutants.toml"
OF_THIS_TOOL = {str(path.relative_to(TOP)) for path in (Path(__file__).resolve(), ACCEPTED)} | {"selftests/floors.toml"}
TESTS = ("selftests/fast", "selftests/property")
OF_OTHER_THINGS = (
    *("backing", "bounds", "builds", "cache", "capabilities", "ci", "commands", "debian", "doctor", "environment"),
    *("event_loop", "face", "faulty", "framing", "host_journal", "host_messages", "host_protocol", "link"),
    *("linux_guest", "list", "lying_qemu", "metrics", "monitor", "mutants", "no_qemu", "one_at_a_time", "packages"),
    *("plain_words", "programs", "python_docs", "qemu", "readme", "record_of_a_lie", "record_piped"),
    *("reference", "remembered", "report", "sampling", "selftest", "stage", "structure", "tap", "user_namespace"),
    *("verify", "walls", "watch_piped", "whole_file"),
)
"""Tests that are left out: they are not of what the core computes, and many start processes, read the sources or
measure memory.
"""
ENOUGH = 0.9
"""The score that each room has to reach for which FLOORS has no other."""
FLOORS = TOP / "selftests" / "floors.toml"
SECONDS_OF_TESTS = 20.0
"""A mutant is tried by the quickest tests that reach its function, and by so much of them at most."""
NEAREST_TESTS = 15
"""First by so many of them, those of the file that is called as its module and those that reach the fewest functions,
and as many of the others; by all where it survives these and is not accepted: that takes longest.
"""
SPARED = "-p no:unraisableexception -p no:threadexception"
"""Of pytest: at the end of each run these collect garbage again and again, which takes longer than most tests."""
STATUS = {
    **dict.fromkeys((1, 3), "killed"),
    **dict.fromkeys((0, 5, 33), "survived"),
    **dict.fromkeys((-24, -9, 24, 36, 152, 255), "timed out"),
}
"""By mutmut's exit codes: 5 and 33 are of functions that no test reaches. With any other a mutant was not tried."""


class Change(NamedTuple):
    """What a mutant changes: the function, the line as it was, and what it becomes; empty where no test missed it."""

    function: str
    was: str
    becomes: str


class Mutant(NamedTuple):
    """One change of one function: its name in mutmut, and what came of it."""

    name: str
    room: str
    status: str
    change: Change


def core() -> list[str]:
    """The files of the pure core: those whose coverage is asked for."""
    report = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["coverage"]["report"]
    files = [str(path.relative_to(TOP)) for path in sorted(TOP.glob(f"{PACKAGE}/**/*.py"))]
    wanted = [file for file in files if any(fnmatch.fnmatch(file, pattern) for pattern in report["include"])]
    return [file for file in wanted if file not in report["omit"] and not file.endswith("__init__.py")]


def room_of(file: str) -> str:
    """The folder of the package in which a file lies."""
    return Path(file).parts[1]


def is_in(file: str, room: str | None) -> bool:
    """Whether a file is of a room, or is the one that `room` names; all are of none."""
    return room is None or f"{Path(file).relative_to(PACKAGE).with_suffix('')}/".startswith(f"{room}/")


def without_decorators(source: str) -> str:
    """The same module with `name = decorator(name)` after each decorated function, which is what a decorator means."""
    lines = source.splitlines()
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(functions, key=lambda node: node.lineno, reverse=True):
        for decorator in node.decorator_list:
            text = ast.unparse(decorator)
            if text in ("overload", "classmethod", "staticmethod"):
                continue
            assert decorator.end_lineno == decorator.lineno and node.end_lineno is not None
            lines.insert(node.end_lineno, f"{' ' * node.col_offset}{node.name} = {text}({node.name})")
            lines[decorator.lineno - 1] = ""
    return "\n".join([*lines, ""])


def copy() -> None:
    """Bring the copy up to date, and forget of the runs before what no longer holds."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=TOP, check=True, capture_output=True
    )
    files = {name for name in listed.stdout.decode().splitlines() if (TOP / name).is_file()}
    mutable = core()
    for name in sorted(files):
        text = (TOP / name).read_bytes()
        if name in mutable:
            text = without_decorators(text.decode()).encode()
        elif name == "pyproject.toml":
            text += _settings(mutable, {Path(name).parts[0] for name in files}).encode()
        if not (COPY / name).is_file() or (COPY / name).read_bytes() != text:
            _replace(name, text, (TOP / name).stat().st_mode)
    for path in [path for path in COPY.rglob("*") if path.is_file()]:
        name = str(path.relative_to(COPY))
        if not name.startswith("mutants/") and "__pycache__" not in name and name not in files:
            _replace(name, None)


def _replace(name: str, text: bytes | None, mode: int = 0) -> None:
    path = COPY / name
    path.unlink(missing_ok=True)
    (MUTATED / name).unlink(missing_ok=True)
    if text is None:
        (MUTATED / f"{name}.meta").unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        path.chmod(mode)
    if not STATS.exists():
        return
    if Path(name).name.startswith("test_"):
        # Its tests are new ones: they may reach other functions now.
        stats = json.loads(STATS.read_bytes())
        durations = stats["duration_by_test"]
        stats["duration_by_test"] = {test: s for test, s in durations.items() if not test.startswith(f"{name}::")}
        STATS.write_text(json.dumps(stats))
    elif name.endswith((".py", ".toml")) and name not in OF_THIS_TOOL:
        STATS.unlink()


def _settings(mutable: list[str], tops: set[str]) -> str:
    left_out = [f"--ignore-glob=*/test_{name}.py" for name in OF_OTHER_THINGS]
    return f"""
[tool.mutmut]
source_paths = ["{PACKAGE}"]
only_mutate = {mutable}
also_copy = {sorted(tops - {PACKAGE})}
pytest_add_cli_args_test_selection = {list(TESTS)}
pytest_add_cli_args = {["-p", "no:cacheprovider", *left_out]}
process_isolation = "forkserver"
timeout_multiplier = 3.0
timeout_constant = 10.0
on_dependency_change = "ignore"
"""


def run(room: str | None) -> None:
    """Make the mutants and try those of a room, or of all, that no test has killed."""
    os.chdir(COPY)
    os.environ["PYTEST_ADDOPTS"] = SPARED
    from mutmut import __main__ as mutmut

    processes = os.cpu_count() or 1
    MUTATED.mkdir(exist_ok=True)
    mutmut.set_mutant_under_test("mutant_generation")
    with mutmut.CatchOutput():
        mutmut.copy_src_dir()
        mutmut.copy_also_copy_files()
        mutmut.setup_source_paths()
        mutmut.create_mutants(processes)
    mutmut.collect_or_load_stats(mutmut.get_mutant_runner(processes), apply_config_invalidation=True)
    state, durations_s = mutmut.state(), mutmut.state().duration_by_test
    reaching = {name: tests & durations_s.keys() for name, tests in state.tests_by_mangled_function_name.items()}
    reached = Counter(test for tests in reaching.values() for test in tests)
    mutmut.collect_or_load_stats = lambda *_, **__: None  # Else each run would do that again.
    quickest = {name: _quickest(tests, durations_s) for name, tests in reaching.items()}
    nearest = {name: _nearest(name, tests, reached) for name, tests in quickest.items()}
    for tried, left_out in ((nearest, set()), (quickest, accepted())):
        state.tests_by_mangled_function_name = defaultdict(list, tried)
        to_try = [mutant for mutant in mutants(room) if mutant.status != "killed"]
        names = [mutant.name for mutant in to_try if mutant.change not in left_out]
        if names:
            mutmut._run(names, processes)


def _quickest(tests: set[str], durations_s: Mapping[str, float]) -> list[str]:
    kept: list[str] = []
    spent_s = 0.0
    for test in sorted(tests, key=durations_s.__getitem__):
        spent_s += durations_s[test]
        if kept and spent_s > SECONDS_OF_TESTS:
            break
        kept.append(test)
    return kept


def _nearest(function: str, tests: list[str], reached: Mapping[str, int]) -> list[str]:
    module = function.split(".")[-2].rstrip("s")
    ranked = sorted(tests, key=lambda test: (module not in test.partition("::")[0], reached[test]))
    others = ranked[NEAREST_TESTS:]
    return ranked[:NEAREST_TESTS] + others[:: max(1, len(others) // NEAREST_TESTS)]


def mutants(room: str | None) -> Iterator[Mutant]:
    """Those of a room, or of all."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    for file in core():
        meta = MUTATED / f"{file}.meta"
        if not is_in(file, room) or not meta.exists():
            continue
        for name, code in json.loads(meta.read_bytes())["exit_code_by_key"].items():
            status = STATUS.get(code, "not tried")
            was, becomes = _changed(get_diff_for_mutant(name, path=file)) if status == "survived" else ("", "")
            yield Mutant(name, room_of(file), status, Change(_readable(name), was, becomes))


def _changed(diff: str) -> tuple[str, str]:
    lines = diff.splitlines()[3:]
    was, becomes = ([line[1:].strip() for line in lines if line[:1] == sign] for sign in "-+")
    return " ".join(was), " ".join(becomes)


def _readable(name: str) -> str:
    """`comparison.compare.Contrast.shift` for mutmut's own spelling of it."""
    module, _, mangled = name.partition("__mutmut_")[0].rpartition(".")
    function = mangled[2:].replace("ǁ", ".")
    return f"{module.removeprefix(f'{PACKAGE}.')}.{function}"


def report(room: str | None) -> int:
    """Print the table and what survived; the exit status."""
    every = list(mutants(room))
    entries = accepted()
    rooms = sorted({mutant.room for mutant in every})
    survivors = [mutant for mutant in every if mutant.status == "survived"]
    explained = {mutant.name for mutant in survivors if mutant.change in entries}
    for mutant in survivors:
        if mutant.name not in explained:
            print(f"{mutant.change.function}\n  - {mutant.change.was}\n  + {mutant.change.becomes}")
    stale = [
        f"{ACCEPTED.name}: of {entry.function} none survives that becomes {entry.becomes}"
        for entry in sorted(entries - {mutant.change for mutant in survivors})
        if is_in(f"{PACKAGE}/{entry.function.replace('.', '/')}", room)
    ]
    print(f"\n{'room':14}{'mutants':>9}{'killed':>9}{'survived':>10}{'timed out':>11}{'accepted':>10}{'score':>9}")
    low = [name for name in rooms if _row(name, [one for one in every if one.room == name], explained) < floor(name)]
    if len(rooms) > 1:
        _row("all", every, explained)
    stale += [f"{name}: fewer than {floor(name):.0%} of the mutants are killed" for name in low]
    print(*stale, sep="\n", end="\n" if stale else "")
    return 1 if stale else 0


def floor(room: str) -> float:
    """The score that a room had, and may not fall below."""
    return float(tomllib.loads(FLOORS.read_text())["mutants"].get(room, 100 * ENOUGH)) / 100


def accepted() -> set[Change]:
    """The changes that no test can notice, or none has to, as they are listed with why."""
    return {
        Change(entry["function"], entry["was"], becomes)
        for entry in tomllib.loads(ACCEPTED.read_text())["accepted"]
        for becomes in entry["becomes"]
    }


def _row(name: str, of_it: list[Mutant], explained: set[str]) -> float:
    count = Counter(mutant.status for mutant in of_it)
    accepted = sum(mutant.name in explained for mutant in of_it)
    score = (count["killed"] + count["timed out"]) / max(1, len(of_it) - count["not tried"])
    figures = f"{count['killed']:9}{count['survived']:10}{count['timed out']:11}{accepted:10}{score:9.1%}"
    print(f"{name:14}{len(of_it):9}{figures}" + (f"  {count['not tried']} not tried" if count["not tried"] else ""))
    return score


def main() -> int:
    """What the command line asks for."""
    room = (sys.argv[1] if len(sys.argv) > 1 else "") or None
    if not any(is_in(file, room) for file in core()):
        rooms = sorted({room_of(file) for file in core()})
        print(f"{room!r} is no room of the pure core; there are {', '.join(rooms)}", file=sys.stderr)
        return 2
    copy()
    run(room)
    return report(room)


if __name__ == "__main__":
    sys.exit(main())
