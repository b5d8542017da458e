# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/ci.md: the jobs are YAML, and both run the same commands and keep the same results; what `judge` takes."""

import re

from ..support.ci_jobs import jobs
from ..support.documents import QUICK, TOP


def test_both_jobs_run_the_same_commands_in_the_same_debian_and_keep_the_same_results():
    gitlab, github = jobs()
    [commands] = [step["run"].splitlines() for step in github["steps"] if "run" in step]
    assert commands == gitlab["script"] and QUICK in commands
    assert github["container"] == gitlab["image"] == "debian:bookworm"
    [kept] = [step for step in github["steps"] if "upload-artifact" in step.get("uses", "")]
    assert [kept["with"]["path"]] == gitlab["artifacts"]["paths"]
    assert kept["if"] == "always()" and gitlab["artifacts"]["when"] == "always"


def test_what_judge_takes_without_avocado_is_what_the_package_requires_of_it():
    installed = r"pip\"? install (?:--quiet --no-compile )?('\S+'(?: '\S+')*)\n"
    [in_docs] = re.findall(installed, (TOP / "docs/patch.md").read_text())
    [in_trial] = re.findall(installed, (TOP / "tools/try-wheel").read_text())
    assert in_docs == in_trial
    required = (TOP / "setup.py").read_text()
    assert all(f'"{package}",' in required for package in re.findall(r"'(\S+)'", in_docs))
