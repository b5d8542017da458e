# SPDX-License-Identifier: GPL-2.0-or-later
"""A job spread over hosts that lack something, or greet whoever logs in: each is used for what it can do, or named."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.avocado_command import write_tests
from ..support.documents import TOP
from ..support.many_hosts import Lab, give_replayed, in_variants, lab, replayed

pytestmark = pytest.mark.network

NEEDY = """
async def need(parameters, directory, progress):
    if Path(__file__).with_name("lacks").exists():
        raise HostRequirementError("there is no QEMU")
    return ACCURATE

class Needy(MigrationTest):
    def test(self):
        self.judge(need)
"""
BASHRC = rb"""
echo "Unauthorised use is prohibited # $ "
PROMPT_COMMAND="echo it is late"
PS1="\[\e[1m\]\u@lab \n% "
"""
SHORT = ("--migdowntime-time-limit", "50")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    subprocess.run([TOP / "tools/packages", "sshd"], check=True)
    with lab(3) as made:
        directory = tmp_path_factory.mktemp("tests")
        give_replayed(made, directory)
        made.give("needy.py", write_tests(directory, NEEDY).read_bytes())
        yield made


def ends(hosts: Lab) -> list[tuple[str, str]]:
    return [(test["status"], test["fail_reason"]) for test in hosts.tests()]


def test_what_a_host_lacks_is_looked_for_on_another_and_said_if_none_has_it(hosts: Lab) -> None:
    lacking, good, _ = hosts.names
    hosts.give("lacks", b"", lacking)
    slots = [hosts.slot(lacking), hosts.slot(good)]
    status, out = hosts.run(slots, *in_variants(hosts, "needy.py", 4))
    assert (status, [end for end, _ in ends(hosts)]) == (0, ["PASS"] * 4), out
    log = (hosts.latest / "job.log").read_text()
    assert log.count(f" runs on root@{good}\n") == 4 and f" runs on root@{lacking}\n" in log
    for asked, end in (("cancel", "CANCEL"), ("fail", "FAIL")):
        given = ("--migdowntime-lacking", asked)
        status, out = hosts.run(slots[:1], *in_variants(hosts, "needy.py", 1), *given)
        why = f"no host has what this test needs (root@{lacking}: there is no QEMU)"
        assert (status, ends(hosts)) == (int(asked == "fail"), [(end, why)]), out


def test_a_host_that_greets_and_whose_home_is_read_only_is_used_as_any_other(hosts: Lab) -> None:
    _, _, odd = hosts.names
    bashrc = hosts.give("bashrc", BASHRC, odd)
    hosts.there(odd, f"mount --bind /root /root; mount --bind {bashrc} /root/.bashrc; mount -o remount,bind,ro /root")
    status, out = hosts.run([hosts.slot(odd)], *replayed(hosts, 2), *SHORT)
    assert (status, [end for end, _ in ends(hosts)]) == (0, ["PASS"] * 2), out
    assert [Path(test["logdir"], "data", "trace.jsonl").is_file() for test in hosts.tests()] == [True] * 2


@pytest.mark.parametrize("python", ["/usr/bin/python3", "/nowhere/python3"])
def test_a_host_without_a_python_that_has_this_package_is_named(hosts: Lab, python: str) -> None:
    name = hosts.names[1]
    status, out = hosts.run([hosts.slot(name, python=python)], *replayed(hosts, 2), *SHORT)
    (_, first), (_, second) = ends(hosts)
    assert status == 1 and first.startswith(f"{python} of root@{name} "), out
    assert first.endswith("); install there what is installed here, for that Python")
    assert second == f"none of the hosts in `spawner.remote.slots` can be used any more ({first})"


def test_a_host_whose_disk_is_full_runs_nothing_and_says_where(hosts: Lab) -> None:
    _, good, full = hosts.names
    # The tests that hosts were given lie there as well.
    keep = f"cp -r {hosts.given} /run/given; mount -t tmpfs -o size=6m none /tmp; mkdir -p {hosts.given}"
    hosts.there(full, f"{keep}; cp -r /run/given/. {hosts.given}")
    slots = [hosts.slot(full), hosts.slot(good)]
    status, out = hosts.run(slots, *replayed(hosts, 3), *SHORT)
    assert (status, [end for end, _ in ends(hosts)]) == (0, ["PASS"] * 3), out
    status, out = hosts.run(slots[:1], *replayed(hosts, 1), *SHORT)
    [(end, why)] = ends(hosts)
    needs = f"no host has what this test needs (root@{full}: a test needs 8 MiB for its files in /tmp/"
    assert end == "CANCEL" and why.startswith(needs), out
    assert why.endswith(" (No space left on device); make room there)")
