# SPDX-License-Identifier: GPL-2.0-or-later
"""A job spread over hosts by SSH: results as of local tests, and nothing lost or left, whatever becomes of a host.

Recordings are replayed in the place of migrations: what hosts do with QEMUs is tested elsewhere.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from avocado.core.exit_codes import AVOCADO_JOB_INTERRUPTED

from ..support.documents import TOP
from ..support.many_hosts import Lab, give_replayed, lab, replayed
from ..support.waiting import HANGS_S, until

pytestmark = pytest.mark.network

LONG = ("--migdowntime-time-limit", "30000")
GONE = "it gets no other test"


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    subprocess.run([TOP / "tools/packages", "sshd"], check=True)
    with lab(3) as made:
        give_replayed(made, tmp_path_factory.mktemp("tests"))
        yield made


def nothing_left(hosts: Lab, *names: str) -> None:
    until_s = time.monotonic() + HANGS_S
    while left := hosts.left(*names):
        assert time.monotonic() < until_s, left
        time.sleep(0.1)


def test_a_matrix_is_spread_and_what_tests_left_lies_where_that_of_local_ones_does(hosts: Lab) -> None:
    slots = [hosts.slot(name) for name in hosts.names]
    status, out = hosts.run(slots, *replayed(hosts, 6), "--migdowntime-time-limit", "100")
    assert status == 0, out
    tests = hosts.tests()
    assert [test["status"] for test in tests] == ["PASS"] * 6 and len({test["logdir"] for test in tests}) == 6
    data = [Path(test["logdir"], "data") for test in tests]
    trace = (hosts.given / "trace.jsonl").read_bytes()
    assert [(each / "trace.jsonl").read_bytes() == trace for each in data] == [True] * 6
    assert [(each / "large").stat().st_size for each in data] == [3 << 20] * 6
    # Whoever is free first gets the next one: one that is slow to log in may come too late for any.
    assert len({(each / "below" / "host").read_text() for each in data}) in (2, 3)
    assert {(each / "trace.jsonl").stat().st_mode & 0o777 for each in data} == {0o600}
    assert not list(hosts.latest.rglob("migdowntime-sent-*"))
    assert json.loads(tests[0]["whiteboard"])["verdict"] == "accurate"
    assert "6 tests: 6 right." in (hosts.latest / "migdowntime.html").read_text()
    nothing_left(hosts, *hosts.names)


def test_a_host_that_cannot_run_tests_costs_one_at_most_and_is_named(hosts: Lab) -> None:
    first, second, third = hosts.names
    lacking, unknown = {"python": "/usr/bin/python3"}, {"user_known_hosts_file": "/dev/null"}
    slots = [hosts.slot(first, **lacking), hosts.slot(second, **unknown), hosts.slot(third)]
    status, out = hosts.run(slots, *replayed(hosts, 4), "--migdowntime-time-limit", "100")
    found = {test["status"]: test["fail_reason"] for test in hosts.tests()}
    # Nothing ran on the host that could not be reached, so that its test is none of those that failed.
    assert (status, sorted(test["status"] for test in hosts.tests())) == (1, ["ERROR", "PASS", "PASS", "PASS"]), out
    assert found["ERROR"].startswith(f"/usr/bin/python3 of root@{first} lacks this package (")
    assert f"no shell can be opened on the host root@{second} by SSH (" in out and out.count(GONE) == 2
    nothing_left(hosts, *hosts.names)


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_job_ends_what_runs_on_hosts(hosts: Lab, times: int) -> None:
    used = hosts.names[:2]
    with hosts.start([hosts.slot(name) for name in used], *replayed(hosts, 4), *LONG) as process:
        at_work(hosts, process, *used)
        for _ in range(times):
            # As a terminal does, to all that the job has started here.
            os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=HANGS_S)
    # Two had not begun, and each of the others has one end.
    assert [test["status"] for test in hosts.tests()] == ["INTERRUPTED", "INTERRUPTED"], out
    assert process.returncode == AVOCADO_JOB_INTERRUPTED and "Traceback" not in out
    nothing_left(hosts, *hosts.names)


def test_what_ran_on_a_host_that_is_gone_is_run_on_another(hosts: Lab) -> None:
    # The last one here: this host does not come back.
    first, second, _ = hosts.names
    with hosts.start([hosts.slot(first), hosts.slot(second)], *replayed(hosts, 3), *LONG) as process:
        at_work(hosts, process, first, second)
        hosts.kill(first)
        hosts.give("go-on", b"", second)
        out, _ = process.communicate(timeout=HANGS_S)
    assert (process.returncode, [test["status"] for test in hosts.tests()]) == (0, ["PASS"] * 3), out
    assert f"the connection to root@{first} is gone; {GONE}" in out
    assert [Path(test["logdir"], "data", "trace.jsonl").is_file() for test in hosts.tests()] == [True] * 3
    nothing_left(hosts, second)


def at_work(hosts: Lab, job: "subprocess.Popen[str]", *names: str) -> None:
    """Wait until each of these hosts runs a test."""
    until(lambda: all(runs_a_test(hosts, name) for name in names) or job.poll() is not None)


def runs_a_test(hosts: Lab, name: str) -> bool:
    # What runs the runners, the runner, what reports its end if it is killed, and the test.
    return sum(left.startswith("process python") for left in hosts.left(name)) >= 4
