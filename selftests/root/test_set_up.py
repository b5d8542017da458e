# SPDX-License-Identifier: GPL-2.0-or-later
"""An ordinary user's set-up and what can go wrong with it: no index, a kill, no ensurepip, no QEMU, or a wrong one."""

import json
import os
import signal
import subprocess

import pytest

from ..support.held_networks import HARNESS, wait_until_gone
from ..support.leftovers import network_namespaces
from ..support.ordinary_user import NO_INDEX, PATH, PYTHON, for_root
from ..support.waiting import until

pytestmark = [pytest.mark.qemu, pytest.mark.network, pytest.mark.usefixtures("nothing_left")]


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
    with user.start("make", ".venv/installed", TMPDIR=str(user.home)) as make:  # pip, killed, leaves its files there
        until(lambda: make.poll() is not None or list(packages.glob("*/site-packages/numpy")))
        assert make.poll() is None
        os.killpg(make.pid, signal.SIGKILL)
    assert "made" not in stamps(user) and "installed" not in stamps(user)
    again = user.run("make", ".venv/installed")
    assert again.returncode == 0, again.stdout
    assert stamps(user) == ["made", "built", "installed"]
    assert "expected-downtime" in user.run(".venv/bin/avocado", "list", "migdowntime:").stdout


def test_a_demo_without_qemu_says_what_to_install_before_anything_is_set_up(user):
    (user.home / "bin").mkdir()
    for program in ("make", "sh", "python3", "id", "find", "env", "apt-get"):
        (user.home / "bin" / program).symlink_to(f"/usr/bin/{program}")
    done = user.run("/usr/bin/make", "demo", PATH=f"{user.home}/bin")
    assert done.returncode == 2
    assert (
        "missing: qemu-system-ppc64; as root run: apt-get install --no-install-recommends qemu-system-ppc64\n"
        in done.stdout
    )


@pytest.mark.usefixtures("environment")
def test_a_demo_that_comes_to_nothing_says_where_to_look(user):
    (user.home / "broken").mkdir()
    (user.home / "broken" / "qemu-system-ppc64").write_text("#!/bin/sh\nexit 3\n")
    (user.home / "broken" / "qemu-system-ppc64").chmod(0o755)
    done = user.run("make", "demo", PATH=f"{user.home}/broken:{PATH}")
    assert done.returncode == 2 and "did not answer as a QEMU does" in done.stdout
    sentence = "demo: the test left no recording; its reason is above; then run `make demo` again\n"
    assert sentence in done.stdout
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


def test_a_harness_that_is_killed_without_root_leaves_neither_its_networks_nor_the_qemus_in_them(user, environment):
    directory = user.home / "held"
    assert user.run("mkdir", directory).returncode == 0
    with user.start(environment / "python", "-c", HARNESS, directory) as harness:
        made = set(harness.stdout.readline().split())
        assert len(made) == 2 and made <= network_namespaces()
        harness.send_signal(signal.SIGKILL)
    wait_until_gone(made)
