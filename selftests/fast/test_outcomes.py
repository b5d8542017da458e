# SPDX-License-Identifier: GPL-2.0-or-later
"""What is taken from a job's results, and how bad each run is."""

import json
import re
from dataclasses import replace

import pytest

from avocado_migdowntime.comparison.job_results import builds_of, by_build, is_job, traces_of
from avocado_migdowntime.comparison.outcome import ANOTHER_FAULT, RunOutcome, name_on, outcomes
from avocado_migdowntime.errors import UsageError

from ..support.jobs import entry, job
from ..support.outcomes import run, untold

VERDICT = {
    "subject": "QEMU 7.2.22 (Debian) ppc64 pseries tcg",
    "passed": True,
    "verdict": "accurate",
    "formula": "last-sync",
    "relative_error": -0.001,
    "limit_verdict": "respected",
    "contract": "live",
    "tolerance": 0.02,
    "convergence": {"judgement": "converges"},
    "downtime": {"qemu_ms": 17.5},
    "reasons": ["not taken"],
}


def one(name, verdict=VERDICT, status="PASS", reason="<unknown>", build="job"):
    return outcomes({"tests": [entry(1, name, verdict, status, reason)]}, build)


def test_each_figure_is_taken_from_the_verdict():
    assert one("migdowntime:downtime") == [
        RunOutcome(
            build="job",
            variant="downtime",
            status="PASS",
            reason="",
            passed=True,
            verdict="accurate",
            formula="last-sync",
            relative_error=-0.001,
            limit_verdict="respected",
            convergence="converges",
            downtime_ms=17.5,
            contract="live",
            tolerance=0.02,
            guest="(Debian) ppc64 pseries tcg",
            release="7.2.22",
        )
    ]


def test_what_a_verdict_does_not_have_stays_open():
    (found,) = one("migdowntime:downtime", {**VERDICT, "convergence": None, "downtime": None, "relative_error": None})
    assert (found.convergence, found.downtime_ms, found.relative_error) == ("", None, None)
    (found,) = one("migdowntime:downtime", {**VERDICT, "convergence": {}, "downtime": {}})
    assert (found.convergence, found.downtime_ms) == ("", None)


def test_a_guest_is_what_was_migrated_without_the_release():
    subjects = ("QEMU 7.2.22 ppc64", "QEMU 7.2.22", "a QEMU 7.2.22 ppc64", "ppc64")
    assert [one("x", {**VERDICT, "subject": subject})[0].guest for subject in subjects] == [
        "ppc64",
        "",
        "a QEMU 7.2.22 ppc64",
        "ppc64",
    ]


def test_a_commit_belongs_to_the_release():
    (found,) = one("x", {**VERDICT, "subject": "QEMU 8.2.50 (v8.2.0-533-g12ab) ppc64 tcg"})
    assert (found.release, found.guest) == ("8.2.50 (v8.2.0-533-g12ab)", "ppc64 tcg")


@pytest.mark.parametrize(
    ("name", "build", "variant"),
    [
        ("migdowntime:downtime", "job", "downtime"),
        ("migdowntime:downtime@old", "old", "downtime"),
        ("migdowntime:downtime@old;run-ppc64-1234", "old", "downtime ppc64-1234"),
        ("migdowntime:downtime;run-ppc64-1234", "job", "downtime ppc64-1234"),
        ("migdowntime:downtime;ppc64;x", "job", "downtime ppc64;x"),
        ("tests/downtime.py:D.test@old", "old", "tests/downtime.py:D.test"),
        (name_on("migdowntime:downtime", "a/b") + ";run-v", "a/b", "downtime v"),
        ("migdowntime:a\nb;run-c\nd", "job", "a\\nb c\\nd"),
    ],
)
def test_a_tests_name_says_its_build_and_its_variant(name, build, variant):
    (found,) = one(name)
    assert (found.build, found.variant) == (build, variant)


def test_a_run_without_a_verdict_keeps_its_status_and_its_reason():
    assert one("migdowntime:downtime@new;run-v", None, "ERROR", "QEMU ended") == [
        RunOutcome("new", "downtime v", "ERROR", "QEMU ended")
    ]
    assert one("migdowntime:downtime", None) == [RunOutcome("job", "downtime", "PASS", "")]
    assert one("migdowntime:downtime", VERDICT, "FAIL", "is off")[0].reason == "is off"
    assert one("migdowntime:downtime", VERDICT, "WARN", None)[0].reason == "None"


def test_tests_of_other_kinds_are_left_out():
    assert one("/bin/true", None) == one("/bin/true", {"some": "thing"}) == one("/bin/true", [1]) == []
    assert [found.variant for found in one("/bin/true")] == ["/bin/true"]
    assert one("migdowntime:x", {"some": "thing"}) == [RunOutcome("job", "x", "PASS")]


def test_runs_are_in_the_order_of_their_numbers():
    entries = [entry(number, f"migdowntime:{number}", None) for number in (10, 2, 1)]
    assert [found.variant for found in outcomes({"tests": entries}, "job")] == ["1", "2", "10"]


@pytest.mark.parametrize(
    "results",
    [
        None,
        {},
        {"tests": [{}]},
        {"tests": [{"id": 7, "name": "x", "whiteboard": ""}]},
        {"tests": [{"id": "x-1", "name": "x", "whiteboard": ""}]},
        {"tests": [{"id": "1-x", "name": "migdowntime:x", "whiteboard": ""}]},
        {"tests": [entry(1, "migdowntime:x", {**VERDICT, "convergence": "yes"})]},
    ],
)
def test_what_is_no_result_is_refused_in_a_sentence(results):
    says = "^these are not the results of a job of this release; run the job again$"
    with pytest.raises(UsageError, match=says):
        outcomes(results, "job")


@pytest.mark.parametrize(
    ("changes", "badness"),
    [
        ({"relative_error": -0.004}, 0.004),
        ({"passed": None}, None),
        ({"relative_error": None}, ANOTHER_FAULT),
        ({"passed": False, "verdict": "inaccurate", "relative_error": -0.011}, 0.011),
        ({"passed": False, "verdict": "inaccurate", "relative_error": 0.01}, ANOTHER_FAULT),
        ({"passed": False, "verdict": "accurate", "relative_error": 0.02}, ANOTHER_FAULT),
        ({"passed": False, "verdict": "inaccurate", "relative_error": 0.001, "tolerance": None}, 0.001),
        ({"passed": False, "verdict": "inaccurate", "relative_error": 0.0, "tolerance": None}, ANOTHER_FAULT),
    ],
)
def test_a_run_is_as_bad_as_its_report_is_off_unless_something_else_is_at_fault(changes, badness):
    assert replace(run("q", 0.0), **changes).abs_error == badness


def test_runs_are_put_together_by_their_build():
    first, second, third = run("a", 0.1), run("b", 0.2), run("a", 0.3)
    assert by_build([first, second, third]) == [[first, third], [second]]


def test_builds_of_several_jobs_are_put_together_by_their_names(tmp_path):
    old = job(tmp_path / "old", [entry(1, "migdowntime:x", None), entry(2, "migdowntime:x@new", None)])
    new = job(tmp_path / "new", [entry(1, "migdowntime:x@new", None)])
    assert [[found.build for found in runs] for runs in builds_of([old, new])] == [[old], ["new", "new"]]
    assert is_job(old) and is_job(str(tmp_path)) and not is_job(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            None,
            "No such file or directory; give the results of a job, such as job-results/latest, or compare builds of "
            "QEMU by verify --qemu",
        ),
        ("{", " is not JSON; give the results of a job, such as job-results/latest"),
        ("[" * 100_000, " is not JSON; give the results of a job, such as job-results/latest"),
        ('{"tests": []}', " has no test of this project; give the results of a job that ran migdowntime:NAME"),
        ("[]", "these are not the results of a job of this release; run the job again"),
    ],
)
def test_a_job_that_cannot_be_used_is_named_with_what_to_give(content, says, tmp_path):
    path = tmp_path / "results.json"
    if content is not None:
        path.write_text(content)
    between = "" if says[0] == " " else ": "
    with pytest.raises(UsageError, match=f"^{re.escape(f'{path}{between}{says}')}$"):
        builds_of([str(tmp_path)])


@pytest.mark.parametrize("part", ["[],", '{"a":1},', '"",'])
def test_a_job_of_more_parts_than_bytes_allow_is_refused_before_it_takes_memory(part, tmp_path):
    count = 1_000_000
    (tmp_path / "results.json").write_text(f'{{"tests":[{part * count}1]}}')
    with pytest.raises(UsageError, match=r"has \d+ parts in \d+ bytes, more than any results; give the"):
        builds_of([str(tmp_path)])


def test_a_job_whose_links_go_round_is_named(tmp_path):
    for name in ("loop", "results.json"):
        (tmp_path / name).symlink_to(name)
    for place in (tmp_path / "loop", tmp_path):
        with pytest.raises(UsageError, match=f"^{re.escape(str(place))}: its links form a loop; give"):
            builds_of([str(place)])


def test_a_file_in_place_of_a_job_is_named_with_what_to_give(tmp_path):
    (tmp_path / "artifacts.zip").touch()
    with pytest.raises(UsageError, match=r"artifacts\.zip is a file; give .* a directory or a \.tar\.gz .* a \.zip"):
        builds_of([str(tmp_path / "artifacts.zip")])


def test_a_job_whose_results_are_no_file_is_named(tmp_path):
    (tmp_path / "results.json").symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="results.json is a link to outside of .*, which is not followed"):
        builds_of([str(tmp_path)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"relative_error": "x"},
        {"relative_error": float("nan")},
        {"tolerance": 10**400},
        {"tolerance": True},
        {"passed": "yes"},
        {"passed": []},
        {"verdict": 1},
        {"formula": ["last-sync"]},
        {"downtime": {"qemu_ms": {}}},
        {"convergence": {"judgement": 1}},
        {"subject": None},
    ],
)
def test_a_verdict_whose_figures_are_none_is_refused(wrong):
    with pytest.raises(UsageError, match="^these are not the results of a job of this release"):
        one("migdowntime:x", {**VERDICT, **wrong})


def test_a_whiteboard_that_is_nested_without_end_is_no_verdict():
    results = {"tests": [{**entry(1, "migdowntime:x", None), "whiteboard": "[" * 100_000}]}
    assert [run.verdict for run in outcomes(results, "job")] == [""]


def test_a_job_that_is_given_twice_is_named(tmp_path):
    old = job(tmp_path / "old", [entry(1, "migdowntime:x", None)])
    again = f"{tmp_path}/./old"
    with pytest.raises(
        UsageError, match=f"^{re.escape(again)} is given twice, and the same runs prove nothing new; give it once$"
    ):
        builds_of([old, again])


def test_traces_are_files_as_they_are_and_those_below_a_jobs_results(tmp_path):
    for number in (2, 1):
        data = tmp_path / "test-results" / f"{number}-x" / "data"
        data.mkdir(parents=True)
        (data / "trace.jsonl").write_text(json.dumps({}))
    inside = [f"{tmp_path}/test-results/{number}-x/data/trace.jsonl" for number in (1, 2)]
    assert list(traces_of(["-", str(tmp_path), "nowhere"])) == ["-", *inside, "nowhere"]
    empty = tmp_path / "test-results"
    says = f"{empty} contains no test-results/*/data/trace.jsonl; give the results of a job, such as job-results/latest"
    with pytest.raises(UsageError, match=f"^{re.escape(says)}$"):
        list(traces_of([str(empty)]))


def test_a_run_that_came_to_nothing_is_of_no_badness():
    assert untold("q").abs_error is None
