# SPDX-License-Identifier: GPL-2.0-or-later
"""An ordinary user's set-up and demo, with what can go wrong: no index, a kill, no ensurepip, no hugepages."""

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from avocado_migdowntime.host.lock import exclusive
from avocado_migdowntime.host.pool import Pool

from ..support.documents import TOP
from ..support.held_networks import HARNESS, wait_until_gone
from ..support.leftovers import network_namespaces
from ..support.ordinary_user import PATH, PYTHON, for_root

pytestmark = [
    pytest.mark.alone,
    pytest.mark.qemu,
    pytest.mark.network,
    pytest.mark.usefixtures("nothing_left"),
]
MIB = 1 << 20
NEEDED = 256
"""Hugepages of 2 MiB for the demo."""
ATTEMPTS = 3
"""A busy host makes a verdict inconclusive now and then."""
NO_INDEX = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/",
    "PIP_RETRIES": "0",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_NO_CACHE_DIR": "1",
}
"""Port 9 is closed."""


@pytest.fixture(scope="module")
def user(ordinary_user):
    """One with a checkout, in which nothing is set up."""
    subprocess.run([TOP / "tools/packages", "venv", "qemu-system-ppc64", "tc"], env={"PATH": PATH}, check=True)
    ordinary_user.given()
    return ordinary_user


@pytest.fixture(scope="module")
def environment(user):
    """Where the programs of a set-up are."""
    done = user.run("make", ".venv/installed")
    assert done.returncode == 0, done.stdout
    return user.home / "checkout" / ".venv" / "bin"


def stamps(user):
    names = ("made", "built", "installed")
    return [name for name in names if (user.home / "checkout" / ".venv" / name).exists()]


def test_a_try_without_an_index_says_so_and_the_next_one_with_it_succeeds(user):
    failed = user.run("make", ".venv/made", **NO_INDEX)
    assert failed.returncode == 2 and stamps(user) == []
    assert (user.home / "checkout" / ".venv" / "bin" / "python").exists()
    assert "\npip could not finish, see above: mostly its package index was out of reach; " in failed.stdout
    assert "Traceback" not in failed.stdout
    assert user.run("make", ".venv/made").returncode == 0 and stamps(user) == ["made"]


def test_a_try_that_is_killed_is_healed_by_the_next_one(user):
    packages = user.home / "checkout" / ".venv" / "lib"
    with user.start("make", ".venv/installed") as make:
        deadline = time.monotonic() + 300
        while not list(packages.glob("*/site-packages/numpy")):
            assert make.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(make.pid, signal.SIGKILL)
    assert "made" not in stamps(user) and "installed" not in stamps(user)
    again = user.run("make", ".venv/installed")
    assert again.returncode == 0, again.stdout
    assert stamps(user) == ["made", "built", "installed"]
    assert "expected-downtime" in user.run(".venv/bin/avocado", "list", "migdowntime:").stdout


@contextmanager
def free_hugepages(count):
    """Have so many of 2 MiB, where there are fewer."""
    pool = Pool(2 * MIB)
    with exclusive(pool.path):
        before = pool.size_pages
        missing = max(0, count - pool.counters().available)
        assert pool.resize(before + missing) == before + missing
    try:
        yield
    finally:
        with exclusive(pool.path):
            pool.resize(pool.size_pages - missing)


def judged_demo(user, **more):
    """What a demo prints that has come to a verdict."""
    for _ in range(ATTEMPTS):
        done = user.run("make", "demo", **more)
        if done.returncode == 0:
            return done.stdout
    return pytest.fail(done.stdout)


@pytest.mark.usefixtures("environment")
def test_a_demo_without_hugepages_takes_small_ones_and_says_why_and_costs_no_set_up_again(user):
    available = Pool(2 * MIB).counters().available
    if available >= NEEDED:
        pytest.skip("this host has free hugepages")
    told = judged_demo(user, **NO_INDEX)
    said = f"as {NEEDED} free hugepages of 2M are needed and {available} are there; as root run "
    assert told.count(f"demo: on this host's own pages of 4K, {said}") == 1
    assert "on memfd pages of 4K\n" in told and "\nverdict    ACCURATE\n" in told
    assert "No such file" not in told and "pip" not in told


@for_root
@pytest.mark.usefixtures("environment")
def test_a_demo_takes_hugepages_that_are_free(user):
    with free_hugepages(NEEDED):
        told = judged_demo(user)
    assert "on memfd pages of 2M\n" in told and "\nverdict    ACCURATE\n" in told and "demo: " not in told


def test_a_demo_without_qemu_says_what_to_install_before_anything_is_set_up(user):
    (user.home / "bin").mkdir()
    for program in ("make", "sh", "python3", "id", "find", "env", "apt-get"):
        (user.home / "bin" / program).symlink_to(f"/usr/bin/{program}")
    done = user.run("/usr/bin/make", "demo", PATH=f"{user.home}/bin")
    assert done.returncode == 2
    assert "missing: qemu-system-ppc64; as root run: apt-get install qemu-system-ppc64\n" in done.stdout


@pytest.mark.usefixtures("environment")
def test_a_demo_that_comes_to_nothing_says_where_to_look(user):
    (user.home / "broken").mkdir()
    (user.home / "broken" / "qemu-system-ppc64").write_text("#!/bin/sh\nexit 3\n")
    (user.home / "broken" / "qemu-system-ppc64").chmod(0o755)
    done = user.run("make", "demo", PATH=f"{user.home}/broken:{PATH}")
    assert done.returncode == 2 and "did not answer as a QEMU does" in done.stdout
    assert "demo: the test ended without a trace, see above why; then `make demo` again\n" in done.stdout
    assert "No such file" not in done.stdout and "Traceback" not in done.stdout


@for_root
def test_a_python_without_ensurepip_is_told_and_what_there_is_stays(user):
    before = stamps(user)
    where = subprocess.run(
        [PYTHON, "-c", "import ensurepip; print(ensurepip.__path__[0])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    empty = user.home / "empty"
    empty.mkdir()
    as_user = user.command(f"{user.home}/checkout/tools/environment", "make", user.home / "checkout" / ".venv")
    hidden = ["unshare", "--mount", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", empty, where]
    done = subprocess.run([*hidden, *as_user], env=user.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and stamps(user) == before
    assert done.stderr == (
        "/usr/bin/python3 has no ensurepip, without which it makes no virtual environment; install it as root "
        "(Debian: apt-get install python3-venv), or put another python3 first on the PATH\n"
    )


def test_doctor_finds_what_lies_in_usr_sbin_and_tells_of_a_link_without_root(user, environment):
    done = user.run(environment / "avocado", "migdowntime", "doctor", "--json", "--quiet")
    [shaped] = [finding for finding in json.loads(done.stdout)["findings"] if finding["name"] == "link=shaped"]
    assert shaped["state"] == "ok" and shaped["mend"] == "" and "MB/s" in shaped["text"]
    assert shaped["text"].endswith(", in a user namespace")


def test_on_a_slow_link_without_root_the_guest_is_down_for_as_long_as_was_said(user, environment):
    options = {"arch": "x86_64", "accel": "tcg", "page-size": "4K", "link-rate": "25M", "region": "40M"}
    words = [word for name, value in options.items() for word in (f"--migdowntime-{name}", value)]
    for _ in range(ATTEMPTS):
        line = (environment / "avocado", "run", "--job-results-dir", "results", *words, "migdowntime:downtime")
        done = user.run(*line)
        if done.returncode == 0 and " PASS " in done.stdout:
            break
    else:
        pytest.fail(done.stdout)
    [file] = (user.home / "checkout" / "results" / "latest" / "test-results").glob("*/data/verdict.json")
    verdict = json.loads(file.read_text())
    assert verdict["passed"] and verdict["promise"]["judgement"] == "kept"


def test_a_harness_that_is_killed_without_root_leaves_neither_its_networks_nor_the_qemus_in_them(user, environment):
    directory = user.home / "held"
    assert user.run("mkdir", directory).returncode == 0
    with user.start(environment / "python", "-c", HARNESS, directory) as harness:
        made = set(harness.stdout.readline().split())
        assert len(made) == 2 and made <= network_namespaces()
        harness.send_signal(signal.SIGKILL)
    wait_until_gone(made)
