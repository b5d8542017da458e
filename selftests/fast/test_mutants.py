# SPDX-License-Identifier: GPL-2.0-or-later
"""The mutants that are accepted as survivors are of code that is there: all of them are tried but now and then. What a
sample of them says of all is right.
"""

import ast
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tools import mutant_results, mutant_watch
from tools.mutant_results import STATUS, Change, Mutant, Part, Tally, drawn, is_accepted, table, too_low, wilson

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "avocado_migdowntime"


@cache
def functions(room, file):
    """The lines of each function of a module, without their indentation, by its name."""
    text = (PACKAGE / room / f"{file}.py").read_text()
    lines, found = [line.strip() for line in text.splitlines()], {}
    for node in ast.parse(text).body:
        parts = {f"{node.name}.": node.body} if isinstance(node, ast.ClassDef) else {"": [node]}
        for prefix, body in parts.items():
            for one in body:
                if isinstance(one, ast.FunctionDef):
                    found[prefix + one.name] = " ".join(lines[one.lineno - 1 : one.end_lineno])
    return found


def source_of(name):
    room, file, function = name.split(".", 2)
    return functions(room, file).get(function, "")


def test_each_accepted_mutant_is_of_lines_that_are_there_and_is_accepted_once_with_why():
    entries = tomllib.loads((ROOT / "selftests/mutants.toml").read_text())["accepted"]
    assert [entry["function"] for entry in entries if entry["was"] not in source_of(entry["function"])] == []
    changes = [(entry["function"], entry["was"], becomes) for entry in entries for becomes in entry["becomes"]]
    assert len(set(changes)) == len(changes)
    assert all(entry["why"] and entry["was"] not in entry["becomes"] for entry in entries)


@pytest.mark.parametrize(
    ("was", "becomes", "accepts"),
    [
        ("zip(a, b, strict=True)", ["zip(a, b, strict=False)", "zip(a, b, strict=None)", "zip(a, b, )"], True),
        ("zip(a, b, strict=False):", ["zip(a, b, strict=None):", "zip(a, b, ):"], True),
        ("zip(a, b, strict=False)", ["zip(a, b, strict=True)"], False),
        ("zip(a, b, strict=True)", ["zip(a, strict=True)", "zip(b, strict=True)", "zip(a, None, strict=True)"], False),
        ("path.resolve(a, strict=True)", ["path.resolve(a, strict=False)", "path.resolve(a, )"], False),
    ],
)
def test_zip_need_not_assert_that_two_have_one_length(was, becomes, accepts):
    assert [is_accepted(Change("function", was, line), set()) for line in becomes] == [accepts] * len(becomes)


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_that_of_published_tables(hits, tries, low, high):
    # R. G. Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3
    assert wilson(hits, tries) == pytest.approx((low, high), abs=6e-5)
    assert wilson(tries - hits, tries) == pytest.approx((1 - high, 1 - low), abs=6e-5)


def test_of_nothing_nothing_is_known():
    assert wilson(0, 0) == (0, 1)


def test_a_sample_is_the_same_each_time_and_grows_by_what_it_lacks():
    names = [f"module.x_function__mutmut_{number}" for number in range(1000)]
    assert drawn(reversed(names), 50, 1) == drawn(names, 50, 1) == drawn(names, 200, 1)[:50]
    assert set(drawn(names, 50, 1)) != set(drawn(names, 50, 2))
    assert len(set(drawn(names, 2000, 1))) == 1000


def test_a_sample_is_of_all_alike():
    names = [f"module.x_function__mutmut_{number}" for number in range(1000)]
    often = Counter(name for seed in range(8) for name in drawn(names, 250, seed))
    assert often.total() == 2000 and 0.07 < 1 - len(often) / 1000 < 0.13  # (3/4)^8 is 0.10


def mutants(killed, survived=0, timed_out=0, not_tried=0, room="verdict"):
    counts = {"killed": killed, "survived": survived, "timed out": timed_out, "not tried": not_tried}
    statuses = [status for status, count in counts.items() for _ in range(count)]
    return [Mutant(f"{room}_{n}", room, status, Change(room, "", str(n))) for n, status in enumerate(statuses)]


def test_what_was_not_tried_counts_neither_way_and_what_is_accepted_has_survived():
    every = mutants(88, survived=10, timed_out=2, not_tried=100)
    tally = Tally.of(every, {every[88].change, every[0].change})
    assert tally == (200, 88, 10, 2, 1) and tally.not_tried == 100
    assert tally.score == 0.9 and tally.interval == wilson(90, 100)


def test_what_pytest_refused_to_run_is_not_taken_for_noticed(monkeypatch, capsys):
    assert {STATUS.get(code, "not tried") for code in (2, 4, 255)} == {"not tried"}
    monkeypatch.setattr(mutant_results, "mutants", lambda part: mutants(99, not_tried=1))
    assert mutant_results.report(Part(sample=100)) == 1
    assert capsys.readouterr().out.endswith("\n1 could not be tried: pytest ended otherwise than by its tests\n")
    monkeypatch.setattr(mutant_results, "mutants", lambda part: mutants(99))
    assert mutant_results.report(Part(sample=99)) == 0


def test_the_interval_of_a_sample_is_told_where_all_of_it_was_tried():
    every = {"verdict": Tally.of(mutants(90, survived=10), set()), "all": Tally.of(mutants(90, 10, 0, 1), set())}
    sampled, whole = (list(table(every, of_a_sample=sample)) for sample in (True, False))
    assert [line.split()[:7] for line in sampled] == [line.split()[:7] for line in whole]
    assert sampled[1].endswith("90.0%  of all 82.6% to 94.5%") and whole[1].endswith(" 90.0%")
    assert sampled[2].endswith(" 90.0%  1 not tried") and whole[2] == sampled[2]


def test_a_sample_is_too_low_where_its_whole_interval_is():
    below, far_below = Tally.of(mutants(88, survived=12), set()), Tally.of(mutants(80, survived=20), set())
    for tally, sampled, whole in ((below, False, True), (far_below, True, True)):
        assert bool(too_low("another", tally, of_a_sample=True)) == sampled
        assert bool(too_low("another", tally, of_a_sample=False)) == whole
    assert too_low("another", Tally.of(mutants(90, survived=10), set()), of_a_sample=False) is None


def looks(monkeypatch, used_s):
    """The number of looks until a process is given up that has used so much CPU time at each; None if it never is."""
    clock, given_up = iter([0.0, *used_s]), []
    monkeypatch.setattr(mutant_watch, "process_time", lambda: next(clock))
    monkeypatch.setattr(mutant_watch.os, "_exit", given_up.append)
    watch = mutant_watch.Watch()
    for number in range(1, len(used_s) + 1):
        watch.look()
        if given_up:
            assert given_up == [mutant_watch.TIMED_OUT]
            return number
    return None


def test_what_sleeps_is_given_up_after_so_many_looks_in_a_row_and_what_computes_ever_so_slowly_is_not(monkeypatch):
    asleep = [0.0] * mutant_watch.ASLEEP_LOOKS
    assert looks(monkeypatch, asleep) == len(asleep)
    assert looks(monkeypatch, asleep[1:]) is None
    assert looks(monkeypatch, [0.002 * number for number in range(100)]) is None
    woken = [*asleep[2:], *[1.0] * (len(asleep) + 1)]
    assert looks(monkeypatch, woken) == len(woken)


def test_where_no_tests_are_named_those_that_are_set_are_run(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[tool.mutmut]\nsource_paths = ["."]\n')
    monkeypatch.chdir(tmp_path)  # mutmut reads its settings as it is imported.
    from tools.mutant_tests import Tests

    tests = object.__new__(Tests)
    tests._all_of_them, tests._pytest_add_cli_args_test_selection = True, ["selftests/fast"]
    assert [word for word in tests._pytest_args_regular_run([]) if "selftests" in word] == ["selftests/fast"]
    named = tests._pytest_args_regular_run(["selftests/a.py::b[\\x]", "selftests/a.py::c"])
    assert [word for word in named if "selftests" in word] == ["selftests/a.py::b", "selftests/a.py::c"]
