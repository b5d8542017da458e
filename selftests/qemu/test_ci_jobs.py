# SPDX-License-Identifier: GPL-2.0-or-later
"""The jobs of docs/ci.md do what is said, in a copy of the checkout."""

import json
from xml.etree import ElementTree

import pytest

from ..support.ci_jobs import jobs

pytestmark = pytest.mark.alone

REFUSED_BY_GITHUB = set('":<>|*?\r\n')
"""Characters that no name in an artifact may have (actions/upload-artifact)."""


def test_the_commands_of_the_jobs_judge_both_architectures_and_leave_what_is_kept(ci_job, nothing_left):
    gitlab, _ = jobs()
    results = ci_job.results
    suite = ElementTree.parse(ci_job.checkout / gitlab["artifacts"]["reports"]["junit"]).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "0", "0")
    tests = json.loads((results / "latest/results.json").read_text())["tests"]
    verdicts = [json.loads(test["whiteboard"]) for test in tests]
    assert [verdict["verdict"] for verdict in verdicts] == ["accurate"] * 4
    assert sorted(verdict["subject"].split()[2] for verdict in verdicts) == ["ppc64", "ppc64", "x86_64", "x86_64"]
    names = [path.name for path in results.rglob("*")]
    assert not [name for name in names if REFUSED_BY_GITHUB & set(name)]
