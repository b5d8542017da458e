# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/lab.md: its jobs are YAML of the form that each system takes, and judge the same architectures."""

import json
import re

import yaml

from avocado_migdowntime.parameters.table import ARCHITECTURES

from ..support.documents import TOP

BLOCKS = re.findall(r"```yaml\n(.*?)```", (TOP / "docs/lab.md").read_text(), re.DOTALL)
GITLAB, GITHUB, KUBERNETES = map(yaml.safe_load, BLOCKS)
RUN = "avocado run migdowntime:expected-downtime --migdowntime-arch {arch} --migdowntime-page-size 4K --job-results-dir"
REPORT = "avocado migdowntime report results/ --output report.html"


def test_each_architecture_has_a_job_of_its_own_and_one_more_puts_them_together():
    [matrix] = GITLAB["judge"]["parallel"]["matrix"]
    of_github = GITHUB["jobs"]["judge"]["strategy"]["matrix"]["arch"]
    [script] = KUBERNETES["spec"]["template"]["spec"]["containers"][0]["args"]
    of_pods = re.search(r"set -- (.*)", script)[1].split()
    assert matrix["ARCH"] == of_github == of_pods and set(of_pods) <= set(ARCHITECTURES)
    assert KUBERNETES["spec"]["completions"] == len(of_pods) and KUBERNETES["spec"]["completionMode"] == "Indexed"
    assert GITLAB["report"]["script"] == [REPORT] and GITHUB["jobs"]["report"]["needs"] == "judge"


def test_all_of_them_run_the_same_command():
    [gitlab] = GITLAB["judge"]["script"]
    assert gitlab == f"{RUN.format(arch='$ARCH')} results/$ARCH"
    [github] = [step["run"].splitlines()[-1] for step in GITHUB["jobs"]["judge"]["steps"] if "run" in step]
    assert github == f"{RUN.format(arch='${{ matrix.arch }}')} results/${{{{ matrix.arch }}}}"
    [pod] = KUBERNETES["spec"]["template"]["spec"]["containers"][0]["args"]
    assert pod.splitlines()[-1] == f"""{RUN.format(arch='"$1"')} "/results/$1\""""


def test_what_prepares_a_job_is_what_the_page_for_ci_has():
    [prepared] = [step["run"].splitlines()[:-1] for step in GITHUB["jobs"]["judge"]["steps"] if "run" in step]
    assert prepared == GITLAB["default"]["before_script"]
    assert all(command in (TOP / "docs/ci.md").read_text() for command in prepared)


def test_what_prepares_a_host_installs_a_qemu_for_each_architecture_of_the_job_that_follows():
    page = (TOP / "docs/lab.md").read_text()
    [prepares] = [line for line in page.splitlines() if line.startswith("pip wheel ")]
    [by_default] = re.findall(r"\|\| set -- (.*?)\n\n", (TOP / "tools/packages").read_text(), re.DOTALL)
    tree = yaml.safe_load((TOP / "variants/architectures.yaml").read_text().replace("!mux", ""))
    assert "scp wheel/*.whl tools/packages root@lab1:" in prepares and "'./packages && " in prepares
    assert "-m architectures --spawner migdowntime-hosts" in page
    assert {f"qemu-system-{arch}" for arch in tree["architecture"]} <= set(by_default.split())


def test_the_plan_is_for_the_quick_tests():
    plan = yaml.safe_load((TOP / "plans/quick.fmf").read_text())
    assert "avocado run migdowntime: --filter-by-tags quick -m quick" in plan["execute"]["script"]
    assert "tools/packages" in plan["prepare"][0]["script"] and "plans/quick.fmf" in (TOP / "docs/lab.md").read_text()
    assert (TOP / ".fmf/version").read_text() == "1\n"


def test_the_container_runs_the_quick_tests_and_takes_in_nothing_that_was_made_here():
    *_, command = (TOP / "Containerfile").read_text().splitlines()
    words = json.loads(command.removeprefix("CMD "))
    quick = "avocado run migdowntime: --filter-by-tags quick -m quick"
    assert " ".join(words) == f"{quick} --job-results-dir /results" and quick in (TOP / "README.md").read_text()
    ignored = (TOP / ".containerignore").read_text().splitlines()
    assert {".git", ".venv", "results"} <= set(ignored)
