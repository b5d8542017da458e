# SPDX-License-Identifier: GPL-2.0-or-later
"""`doctor`: made-up hosts are judged line by line, the real one is seen as it is."""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from avocado_migdowntime.cli import doctor
from avocado_migdowntime.doctor import probing, reading
from avocado_migdowntime.doctor.checks import check_host
from avocado_migdowntime.doctor.host import Cpu, Host, Kvm, Lock, NodePages, Pages, Qemu, Shaped, Version
from avocado_migdowntime.doctor.host_check import State, able
from avocado_migdowntime.doctor.reading import read_lock, read_pages
from avocado_migdowntime.host.one_at_a_time import NAME
from avocado_migdowntime.host.pool import Counters, pools
from avocado_migdowntime.qemu.profiles import PROFILES
from avocado_migdowntime.report.doctor import summary
from avocado_migdowntime.report.terminal import fitted

from ..support.avocado_command import avocado, command

MIB = 1 << 20
PPC = Qemu(
    "ppc64", "qemu-system-ppc", False, "/bin/q", (7, 2, 22), ("pseries",), False, frozenset({"events", "xbzrle"})
)
ARM = replace(PPC, arch="arm", package="qemu-system-arm", machines=("virt",))
HUGE = Pages(2 * MIB, Counters(300, 290, 10, 0), (NodePages(0, 300, 290),), 256, 0, False, "sysctl vm.nr_hugepages=300")
GOOD = Host(
    arch="ppc64",
    page_size_bytes=2 * MIB,
    small_pages_bytes=0,
    kvm_wanted=False,
    shaped_wanted=False,
    qemus=(PPC, ARM),
    kvm=Kvm("x86_64", "", True, True),
    pages=(HUGE,),
    available_bytes=4096 * MIB,
    shaped=Shaped(bytes_per_s=49.99e6, wanted_bytes_per_s=50e6),
    cpu=Cpu(4, frozenset({"performance"}), 0.1),
    lock=Lock(False),
    versions=(Version("numpy", "numpy==2.*", "2.4.6", True),),
    root=False,
)


def run(*arguments):
    parser = argparse.ArgumentParser()
    doctor.configure(parser)
    return doctor.run(parser.parse_args(arguments))


def test_a_host_that_has_all_is_ok_in_each_line():
    found = list(check_host(GOOD))
    assert {finding.state for finding in found} == {State.OK} and not any(finding.mend for finding in found)
    assert [finding.name for finding in found] == [
        "versions",
        "qemu ppc64",
        "qemu arm",
        "capabilities",
        "kvm",
        "hugepages 2M",
        "memory",
        "link=shaped",
        "cpu governor",
        "cpu load",
        "host lock",
    ]
    text = summary(found)
    assert "290 of 300 free, 10 reserved; the default run needs 256\n" in text
    assert "events, xbzrle (ppc64, arm)" in text
    assert text.endswith("default test  ok     can run")


def few(**changes):
    return replace(HUGE, counters=Counters(10, 10, 0, 0), missing=246, grow_command="grow", **changes)


HOSTS = [
    (
        {"qemus": (replace(PPC, fault="none on the PATH", binary="", release=(0, 0, 0)),)},
        "qemu ppc64",
        "fault",
        "apt-get install qemu-system-ppc",
    ),
    (
        {"qemus": (PPC, replace(ARM, fault="did not answer", release=(0, 0, 0)))},
        "qemu arm",
        "note",
        "apt-get install --reinstall qemu-system-arm",
    ),
    ({"qemus": (replace(PPC, fault="is no QEMU", release=(0, 0, 0), given=True),)}, "qemu ppc64", "fault", ""),
    ({"qemus": (replace(PPC, fault="has no machine x"),)}, "qemu ppc64", "fault", ""),
    ({"qemus": (replace(PPC, capabilities=frozenset({"xbzrle"})),)}, "qemu ppc64", "fault", "--migdowntime-qemu"),
    ({"qemus": (replace(PPC, release=(5, 1, 0)),)}, "qemu ppc64", "note", "--migdowntime-qemu"),
    ({"qemus": (replace(PPC, release=(11, 2, 0)),)}, "qemu ppc64", "note", "--migdowntime-qemu"),
    ({"kvm": Kvm("x86_64", "missing", False, False)}, "kvm", "note", "modprobe kvm_intel || modprobe kvm_amd"),
    ({"kvm": Kvm("ppc64", "missing", False, False)}, "kvm", "note", "modprobe kvm_hv"),
    ({"kvm": Kvm("x86_64", "not allowed", True, False)}, "kvm", "note", "usermod --append --groups kvm"),
    ({"kvm": Kvm("x86_64", "no page within 1 s", True, True)}, "kvm", "note", ""),
    ({"kvm": Kvm("x86_64", "no page", True, True), "kvm_wanted": True}, "kvm", "fault", ""),
    ({"shaped": Shaped(fault="not permitted"), "shaped_wanted": True}, "link=shaped", "fault", "as root"),
    ({"small_pages_bytes": 3457 * MIB}, "memory", "fault", "ps -eo rss"),
    ({"small_pages_bytes": 3456 * MIB}, "memory", "ok", ""),
    ({"pages": (few(),)}, "hugepages 2M", "fault", "as root: grow"),
    ({"pages": (few(),), "root": True}, "hugepages 2M", "fault", "as root: grow"),
    ({"pages": (few(may_grow=True),)}, "hugepages 2M", "ok", ""),
    ({"pages": ()}, "hugepages 2M", "fault", "--migdowntime-page-size 4K"),
    ({"pages": (few(may_grow=True),), "available_bytes": 1131 * MIB}, "memory", "fault", "ps -eo rss"),
    ({"pages": (few(may_grow=True),), "available_bytes": 1132 * MIB}, "memory", "ok", ""),
    ({"shaped": Shaped(missing_programs=("tc",))}, "link=shaped", "note", "apt-get install iproute2"),
    ({"shaped": Shaped(fault="not permitted")}, "link=shaped", "note", "as root"),
    ({"shaped": Shaped(fault="no CONFIG_VETH"), "root": True}, "link=shaped", "note", ""),
    ({"shaped": Shaped(loadable=("veth",))}, "link=shaped", "ok", ""),
    ({"cpu": Cpu(4, frozenset({"performance", "powersave"}), 0)}, "cpu governor", "note", "cpupower"),
    ({"cpu": Cpu(4, frozenset(), 0)}, "cpu governor", "ok", ""),
    ({"cpu": Cpu(4, frozenset(), 2.1)}, "cpu load", "note", "top"),
    ({"cpu": Cpu(1, frozenset(), 0)}, "cpu load", "note", "more CPUs"),
    ({"lock": Lock(True, ((7, "avocado run"),))}, "host lock", "note", "kill 7"),
    ({"lock": Lock(True)}, "host lock", "note", "ask that user"),
    ({"versions": (Version("numpy", "numpy==2.*", "1.9", False),)}, "version", "fault", "pip install 'numpy==2.*'"),
    ({"versions": (Version("numpy", "numpy==2.*", "", False),)}, "version", "fault", "pip install 'numpy==2.*'"),
]


@pytest.mark.parametrize(("changes", "name", "state", "mend"), HOSTS)
def test_what_is_wrong_is_said_with_what_mends_it(changes, name, state, mend):
    found = list(check_host(replace(GOOD, **changes)))
    one = next(finding for finding in found if finding.name == name)
    assert (one.state, bool(one.mend)) == (state, bool(mend)) and mend in one.mend
    assert able(found) is (state != "fault")
    others = [finding for finding in found if finding.name not in (name, "capabilities")]
    assert {finding.state for finding in others} <= {State.OK}


def test_pages_of_each_node_are_told_apart():
    two = replace(HUGE, nodes=(NodePages(0, 200, 190), NodePages(1, 100, 100)))
    assert "(node 0: 190 of 200 free, node 1: 100 of 100 free)" in summary(
        list(check_host(replace(GOOD, pages=(two,))))
    )


def test_lines_fit_a_terminal_and_go_on_below_their_own_column():
    text = fitted(summary(list(check_host(replace(GOOD, pages=(few(),))))), 60)
    assert max(map(len, text.splitlines())) <= 60
    assert "\n              mend:  as root: grow\n" in text
    assert "the default\n                     run needs 256 and only root can make\n" in text
    long = "label      " + "x" * 200
    assert [line[:11] for line in fitted(long, 80).splitlines()] == ["label      ", " " * 11, " " * 11]


def test_the_pools_of_this_host_are_seen():
    seen = {pages.page_size_bytes: pages for pages in read_pages(2 * MIB, 10**9, True)}
    assert list(seen) == [pool.page_size_bytes for pool in pools()]
    huge = seen[2 * MIB]
    assert huge.missing == 10**9 - huge.counters.available
    assert not any(pages.may_grow for pages in read_pages(2 * MIB, 10**9, False))
    assert sum(node.total for node in huge.nodes) == huge.counters.total


def test_the_holder_of_the_lock_is_found():
    name = NAME + "-test"
    bind = f"import socket, time; s = socket.socket(socket.AF_UNIX); s.bind({name!r})"
    program = f"{bind}; print(flush=True); time.sleep(60)"
    assert read_lock(name) == Lock(False)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        try:
            ((pid, command),) = read_lock(name).holders
            assert pid == holder.pid and command.startswith(sys.executable) and len(command) <= 61
        finally:
            holder.kill()


@pytest.mark.usefixtures("nothing_left")
def test_the_real_host_is_told_through_avocado(tmp_path):
    done = avocado(tmp_path, "migdowntime", "doctor", "--json", "--quiet")
    told = json.loads(done.output)
    names = [finding["name"] for finding in told["findings"]]
    assert names.count("hugepages 2M") == 1 and {f"qemu {arch}" for arch in PROFILES} <= set(names)
    assert done.status == (0 if told["able"] else 1)
    assert told["able"] is all(finding["state"] != "fault" for finding in told["findings"])
    (ppc,) = (finding for finding in told["findings"] if finding["name"] == "qemu ppc64")
    said = subprocess.run(["qemu-system-ppc64", "--version"], capture_output=True, text=True, check=True).stdout
    assert ppc["state"] == "ok" and f"version {ppc['text'].split()[0]}" in said


def test_what_the_default_run_takes_follows_the_settings(tmp_path):
    settings = tmp_path / "settings"
    settings.write_text("[migdowntime]\nram = 512M\nqemu = /nowhere\n")
    told = json.loads(avocado(tmp_path, "--config", str(settings), "migdowntime", "doctor", "--json", "--quiet").output)
    found = {finding["name"]: finding for finding in told["findings"]}
    assert told["able"] is False and "/nowhere does not exist" in found["qemu ppc64"]["text"]
    assert "the default run needs 512" in found["hugepages 2M"]["text"]
    settings.write_text("[migdowntime]\nram = nonsense\n")
    done = avocado(tmp_path, "--config", str(settings), "migdowntime", "doctor")
    assert done.status == 2 and "migdowntime doctor: parameter ram: 'nonsense' is not a size" in done.output


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("machine = pseries-1.0", "has no machine pseries-1.0"),
        ("machine = nonsense", "machine 'nonsense' is not known for ppc64"),
        ("capabilities = nonsense", "has no migration capability nonsense"),
        ("qemu_destination = /nowhere", "/nowhere does not exist"),
        ("qemu = /usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64 emulates x86_64, not ppc64"),
    ],
)
def test_what_the_settings_ask_of_qemu_is_asked(settings, why, tmp_path):
    (tmp_path / "settings").write_text(f"[migdowntime]\n{settings}\n")
    done = avocado(tmp_path, "--config", str(tmp_path / "settings"), "migdowntime", "doctor", "--json", "--quiet")
    told = json.loads(done.output)
    others = {finding["state"] for finding in told["findings"] if finding["name"].startswith("qemu ")}
    (ppc,) = (finding for finding in told["findings"] if finding["name"] == "qemu ppc64")
    assert done.status == 1 and told["able"] is False
    assert ppc["state"] == "fault" and why in ppc["text"] and ppc["mend"] == "" and "note" not in others


def test_an_interruption_waits_for_every_trial_to_clean_up():
    cleaned_up = []

    async def slow_to_end():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            cleaned_up.append(True)

    async def interrupted():
        trials = asyncio.create_task(probing._together(asyncio.sleep(60), slow_to_end()))
        await asyncio.sleep(0.05)
        trials.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trials
        return list(cleaned_up)

    assert asyncio.run(interrupted()) == [True]


@pytest.mark.usefixtures("nothing_left")
def test_ctrl_c_ends_it_without_a_word(tmp_path):
    slow = tmp_path / "qemu-system-ppc64"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    line, environment = command(tmp_path, "migdowntime", "doctor")
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert "2 s so far" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "") and "Error" not in err and "never" not in err


@pytest.mark.usefixtures("nothing_left")
def test_a_host_without_qemu_is_told_what_to_install(monkeypatch, capsys, tmp_path):
    for program in ("ip", "tc"):
        (tmp_path / program).symlink_to(Path("/usr/bin/true"))
    (tmp_path / "qemu-system-arm").write_text("#!/bin/sh\necho I am none; exit 3\n")
    (tmp_path / "qemu-system-arm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run() == 1
    text = capsys.readouterr().out
    assert "qemu ppc64    fault  no qemu-system-ppc64 is on the PATH" in text
    assert "mend:  apt-get install qemu-system-ppc\n" in text
    assert f"qemu arm      note   {tmp_path}/qemu-system-arm did not answer as a QEMU does" in text
    assert "default test  fault  cannot run" in text


def test_progress_is_told_after_two_seconds_unless_quiet(monkeypatch, capsys, tmp_path):
    slow = tmp_path / "qemu-system-ppc64"
    slow.write_text("#!/bin/sh\nsleep 2.5\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert run() == 1
    assert "migdowntime doctor: asking each QEMU what it can do, 2 s so far\n" in capsys.readouterr().err
    assert run("--quiet") == 1
    assert capsys.readouterr().err == ""


def test_what_is_installed_is_held_against_what_is_required(monkeypatch):
    seen = {version.name: version for version in reading.read_versions()}
    assert seen["migdowntime"].fits and seen["numpy"].requirement == "numpy==2.*" and seen["numpy"].fits
    assert seen["python"].installed == ".".join(map(str, sys.version_info[:3])) and "pytest" not in seen
    monkeypatch.setattr(reading, "DISTRIBUTION", "no-such-distribution")
    absent = next(check_host(replace(GOOD, versions=reading.read_versions())))
    assert (absent.state, absent.mend) == (State.FAULT, "pip install .")
