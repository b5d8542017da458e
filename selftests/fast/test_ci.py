# SPDX-License-Identifier: GPL-2.0-or-later
"""The jobs of docs/ci.md are YAML, and both run the same commands and keep the same results."""

from ..support.ci_jobs import jobs
from ..support.documents import QUICK


def test_both_jobs_run_the_same_commands_in_the_same_debian_and_keep_the_same_results():
    gitlab, github = jobs()
    [commands] = [step["run"].splitlines() for step in github["steps"] if "run" in step]
    assert commands == gitlab["script"] and QUICK in commands
    assert github["container"] == gitlab["image"] == "debian:bookworm"
    [kept] = [step for step in github["steps"] if "upload-artifact" in step.get("uses", "")]
    assert [kept["with"]["path"]] == gitlab["artifacts"]["paths"]
    assert kept["if"] == "always()" and gitlab["artifacts"]["when"] == "always"
