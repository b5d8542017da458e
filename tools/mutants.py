# SPDX-License-Identifier: GPL-2.0-or-later
"""Mutation testing of the pure core by its quick tests: which changes to the code does no test notice?

`python -m tools.mutants [ROOM]` tries all mutants, those of a room, or those of a file such as `comparison/compare`;
with `--sample 1000`, that many of them at random, the same ones for the same `--seed`. It works on a copy in
`.mutants/`, and continues where an earlier run ended: a killed mutant stays killed until its function changes, all
others are tried again. It prints the survivors and a table by room. It fails if a room's score is below its floor, or,
unless a sample was tried, if an entry of `selftests/mutants.toml` (accepted survivors) matches no survivor.

mutmut makes the mutants and runs them. It mutates no function with a decorator, so in the copy `@property` and the like
are removed from the function and applied after it. `lru_cache` is not: of tests that give a function the same, only the
first would be seen to reach what it calls. It does not change code outside of functions.
"""

import ast
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import options

from .mutant_results import MUTATED, PACKAGE, TOP, Part, accepted, core, is_accepted, is_in, mutants, report, room_of

COPY = MUTATED.parent
STATS = MUTATED / "mutmut-stats.json"
OF_THIS_TOOL = {
    *(f"tools/{name}.py" for name in ("mutants", "mutant_results", "mutant_tests", "mutant_watch")),
    *("selftests/mutants.toml", "selftests/floors.toml"),
}
TESTS = ("selftests/fast", "selftests/property")
OF_OTHER_THINGS = (
    *("backing", "bounds", "builds", "cache", "capabilities", "ci", "commands", "debian", "doctor"),
    *("doctor_reads_a_host", "environment"),
    *("face", "faulty", "framing", "host_journal", "host_messages", "host_protocol", "link"),
    *("linux_guest", "list", "metrics", "monitor", "mutants", "no_qemu", "options", "packages"),
    *("plain_words", "programs", "python_docs", "qemu", "readme", "record_piped"),
    *("reference", "remembered", "report", "selftest", "stage", "structure", "tap", "user_namespace"),
    *("verify", "walls", "whole_file"),
)
"""Tests that are left out: they do not test what the core computes; many start processes, read the sources or measure
memory.
"""
SECONDS_OF_TESTS = 20.0
"""A mutant is tried with the quickest tests that reach its function, up to this much time."""
NEAREST_TESTS = 15
"""First with this many of them: those in the file named after its module and those that reach the fewest functions;
then with as many others. A mutant that survives these, and is not accepted, is tried with all others, which takes
longest.
"""
TRIES = 2
"""A mutant has timed out if it does so this many times: what a machine was halted may count as CPU time."""
SPARED = "-p no:unraisableexception -p no:threadexception"
"""pytest plugins that collect garbage repeatedly at the end of each run, which takes longer than most tests."""


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
            if not text.startswith("lru_cache("):
                lines.insert(node.end_lineno, f"{' ' * node.col_offset}{node.name} = {text}({node.name})")
            lines[decorator.lineno - 1] = ""
    return "\n".join([*lines, ""])


def copy() -> None:
    """Update the copy, and forget outdated results of earlier runs."""
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
        # Its tests have changed: they may reach other functions now.
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
timeout_multiplier = 1.5
timeout_constant = 10.0
on_dependency_change = "ignore"
"""


def forget_imports() -> None:
    """Have what this tool imports from the checkout imported again by the tests, from the copy with the mutants."""
    for name in [name for name in sys.modules if name.partition(".")[0] in (PACKAGE, "bench")]:
        del sys.modules[name]


def run(part: Part) -> None:
    """Make the mutants, and try those of the part that no test has killed."""
    forget_imports()
    os.chdir(COPY)
    os.environ["PYTEST_ADDOPTS"] = SPARED
    from mutmut import __main__ as mutmut

    from .mutant_tests import Runner

    mutmut.get_mutant_runner = Runner
    processes = os.cpu_count() or 1
    MUTATED.mkdir(exist_ok=True)
    mutmut.set_mutant_under_test("mutant_generation")
    with mutmut.CatchOutput():
        mutmut.copy_src_dir()
        mutmut.copy_also_copy_files()
        mutmut.setup_source_paths()
        mutmut.create_mutants(processes)
    mutmut.collect_or_load_stats(Runner(processes), apply_config_invalidation=True)
    state, durations_s = mutmut.state(), mutmut.state().duration_by_test
    reaching = {name: tests & durations_s.keys() for name, tests in state.tests_by_mangled_function_name.items()}
    reached = Counter(test for tests in reaching.values() for test in tests)
    every = mutmut.collect_source_file_mutation_data
    mutmut.collect_source_file_mutation_data = lambda mutant_names: _named(mutant_names, *every(mutant_names=()))
    mutmut.collect_or_load_stats = lambda *_, **__: None  # Otherwise each run would do that again.
    quickest = {name: _quickest(tests, durations_s) for name, tests in reaching.items()}
    ranked = {name: _nearest_first(name, tests, reached) for name, tests in quickest.items()}
    nearest = {name: _some(tests) for name, tests in ranked.items()}
    others = {name: [test for test in tests if test not in nearest[name]] for name, tests in ranked.items()}
    known = accepted()
    for tests, to_try in (
        (nearest, lambda mutant: mutant.status != "killed"),
        (others, lambda mutant: mutant.status == "survived" and not is_accepted(mutant.change, known)),
    ):
        state.tests_by_mangled_function_name = defaultdict(list, tests)
        names = {mutant.name for mutant in mutants(part) if to_try(mutant)}
        for _ in range(TRIES):
            if names:
                mutmut._run(sorted(names), processes)
            names = {mutant.name for mutant in mutants(part) if mutant.name in names and mutant.status == "timed out"}


def _named(names: Sequence[str], every: list[Any], files: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The mutants of these names. mutmut takes each name for a pattern and matches it with each mutant, which takes a
    minute.
    """
    wanted = set(names)
    return [one for one in every if one[1] in wanted], files


def _quickest(tests: set[str], durations_s: Mapping[str, float]) -> list[str]:
    kept: list[str] = []
    spent_s = 0.0
    for test in sorted(tests, key=durations_s.__getitem__):
        spent_s += durations_s[test]
        if kept and spent_s > SECONDS_OF_TESTS:
            break
        kept.append(test)
    return kept


def _nearest_first(function: str, tests: list[str], reached: Mapping[str, int]) -> list[str]:
    module = function.split(".")[-2].rstrip("s")
    return sorted(tests, key=lambda test: (module not in test.partition("::")[0], reached[test]))


def _some(tests: list[str]) -> list[str]:
    others = tests[NEAREST_TESTS:]
    return tests[:NEAREST_TESTS] + others[:: max(1, len(others) // NEAREST_TESTS)]


def main() -> int:
    """Do what the command line asks for."""
    parser = options.parser("tools.mutants", __doc__.partition("\n")[0])
    parser.add_argument("room", nargs="?", metavar="ROOM", help="a room, or a file of one without its .py")
    parser.add_argument("--sample", type=options.count, metavar="N", help="try only N of them, chosen at random")
    parser.add_argument("--seed", type=options.whole, default=Part().seed, help="which sample it is (%(default)s)")
    part = Part(**vars(parser.parse_args()))
    if not any(is_in(file, part.room) for file in core()):
        rooms = sorted({room_of(file) for file in core()})
        parser.error(f"{part.room!r} is not a room of the pure core; there are {', '.join(rooms)}")
    copy()
    run(part)
    return report(part)


if __name__ == "__main__":
    options.run(main)
