# SPDX-License-Identifier: GPL-2.0-or-later
"""`doctor`: made-up hosts are judged line by line."""

from dataclasses import replace

import pytest

from avocado_migdowntime.basics.run_directory import LeftFiles
from avocado_migdowntime.doctor.checks import check_host
from avocado_migdowntime.doctor.host import Cpu, Kvm, Lock, Network, NodePages, OtherHost, Shaped, Version
from avocado_migdowntime.doctor.host_check import State, able
from avocado_migdowntime.qemu.profiles import PROFILES
from avocado_migdowntime.report.doctor import summary
from avocado_migdowntime.report.terminal import fitted

from ..support.made_up_host import ARM, GOOD, HUGE, MIB, PPC, few


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
        "kept files",
    ]
    text = summary(found)
    assert "290 of 300 free, 10 reserved; the default run needs 256\n" in text
    assert "events, xbzrle (ppc64, arm)" in text
    assert text.endswith("default test  ok     can run")


GROW = "as root: grow, or use 4 KiB pages: -p page_size=4K (avocado run: --migdowntime-page-size 4K)"
FORBIDDEN = Shaped(fault="not permitted", forbidden=True)
HOSTS = [
    (
        {"qemus": (replace(PPC, fault="none on the PATH", binary="", release=(0, 0, 0)),)},
        "qemu ppc64",
        "fault",
        "apt-get install --no-install-recommends qemu-system-ppc (or: dnf install qemu-system-ppc-core; "
        "zypper install qemu-ppc)",
    ),
    (
        {"qemus": (PPC, replace(ARM, fault="did not answer", release=(0, 0, 0)))},
        "qemu arm",
        "note",
        "apt-get install --reinstall qemu-system-arm (or: dnf reinstall qemu-system-arm-core; zypper install --force "
        "qemu-arm)",
    ),
    ({"qemus": (replace(PPC, fault="is no QEMU", release=(0, 0, 0), is_named=True),)}, "qemu ppc64", "fault", ""),
    ({"qemus": (replace(PPC, fault="has no machine x"),)}, "qemu ppc64", "fault", ""),
    ({"qemus": (replace(PPC, capabilities=frozenset({"xbzrle"})),)}, "qemu ppc64", "fault", "--migdowntime-qemu"),
    ({"qemus": (replace(PPC, release=(5, 1, 0)),)}, "qemu ppc64", "note", "--migdowntime-qemu"),
    ({"qemus": (replace(PPC, release=(11, 2, 0)),)}, "qemu ppc64", "note", "--migdowntime-qemu"),
    ({"kvm": Kvm("x86_64", "missing", False, False)}, "kvm", "note", "modprobe kvm_intel || modprobe kvm_amd"),
    ({"kvm": Kvm("ppc64", "missing", False, False)}, "kvm", "note", "modprobe kvm_hv"),
    ({"kvm": Kvm("x86_64", "not allowed", True, False)}, "kvm", "note", "as root: usermod --append --groups kvm USER"),
    ({"kvm": Kvm("x86_64", "no page within 1 s", True, True)}, "kvm", "note", ""),
    ({"kvm": Kvm("x86_64", "no QEMU", False, False, "apt-get install")}, "kvm", "note", "apt-get install"),
    ({"kvm": Kvm("x86_64", "no page", True, True), "kvm_wanted": True}, "kvm", "fault", ""),
    (
        {"shaped": FORBIDDEN, "shaped_wanted": True},
        "link=shaped",
        "fault",
        "as root",
    ),
    ({"small_pages_bytes": 3457 * MIB}, "memory", "fault", "ps -eo rss"),
    ({"small_pages_bytes": 3456 * MIB}, "memory", "ok", ""),
    (
        {"pages": (few(),)},
        "hugepages 2M",
        "fault",
        GROW,
    ),
    (
        {"pages": (few(),), "root": True},
        "hugepages 2M",
        "fault",
        GROW,
    ),
    ({"pages": (few(may_grow=True),)}, "hugepages 2M", "ok", ""),
    ({"pages": ()}, "hugepages 2M", "fault", "--migdowntime-page-size 4K"),
    ({"pages": (few(may_grow=True),), "available_bytes": 1131 * MIB}, "memory", "fault", "ps -eo rss"),
    ({"pages": (few(may_grow=True),), "available_bytes": 1132 * MIB}, "memory", "ok", ""),
    (
        {"shaped": Shaped(missing_programs=("tc",))},
        "link=shaped",
        "note",
        "apt-get install --no-install-recommends iproute2 (or: dnf install iproute-tc; zypper install iproute2)",
    ),
    ({"shaped": FORBIDDEN}, "link=shaped", "note", "as root"),
    ({"shaped": Shaped(fault="no CONFIG_VETH")}, "link=shaped", "note", ""),
    ({"shaped": Shaped(loadable=("veth",))}, "link=shaped", "ok", ""),
    ({"shaped": Shaped(bytes_per_s=30.8e6, wanted_bytes_per_s=50e6)}, "link=shaped", "note", "top"),
    ({"shaped": Shaped(bytes_per_s=45e6, wanted_bytes_per_s=50e6)}, "link=shaped", "ok", ""),
    ({"cpu": Cpu(4, frozenset({"performance", "powersave"}), 0)}, "cpu governor", "note", "cpupower"),
    ({"cpu": Cpu(4, frozenset(), 0)}, "cpu governor", "ok", ""),
    ({"cpu": Cpu(4, frozenset(), 2.1)}, "cpu load", "note", "top"),
    ({"cpu": Cpu(1, frozenset(), 0)}, "cpu load", "note", "more CPUs"),
    ({"lock": Lock(True, ((7, "avocado run"),))}, "host lock", "note", "kill 7"),
    ({"lock": Lock(True, who="process 7 (python) of user a")}, "host lock", "note", "wait, or ask that user"),
    ({"left_files": (LeftFiles("/tmp/a b", 10, 59),)}, "kept files", "note", "rm -r '/tmp/a b'"),
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


QEMU_THERE = replace(PPC, arch="x86_64", package=PROFILES["x86_64"].package, machines=("pc",))
THERE = OtherHost(
    "lab2",
    python="3.9.2",
    qemu=QEMU_THERE,
    kvm=Kvm("x86_64", "", True, True),
    page_size_bytes=2 * MIB,
    pages=replace(HUGE, needed=128),
    available_bytes=4096 * MIB,
    cpu=Cpu(2, frozenset({"performance"}), 0.1),
    lock=Lock(False),
)
OTHERS = [
    ({}, "access", "ok", "answers over SSH, by its python3 3.9.2"),
    ({"fault": "the host lab2 cannot be reached by SSH: x"}, "access", "fault", "the host lab2 cannot be reached by "),
    ({"qemu": replace(QEMU_THERE, fault="has no machine x")}, "qemu x86_64", "fault", "has no machine x"),
    ({"kvm": Kvm("x86_64", "no page within 1 s", True, True)}, "kvm", "note", "no page within 1 s; tests use TCG"),
    ({"pages": replace(few(), needed=128)}, "hugepages 2M", "fault", "the default run needs 128, but only root can"),
    ({"pages": None}, "hugepages 2M", "fault", "the kernel has no hugepages of 2M"),
    ({"pages": None, "small_pages_bytes": 256 * MIB}, "memory", "ok", "the default run needs 832 MiB"),
    ({"available_bytes": 575 * MIB}, "memory", "fault", "575 MiB available, the default run needs 576 MiB"),
    ({"available_bytes": 576 * MIB}, "memory", "ok", "576 MiB available"),
    ({"cpu": Cpu(1, frozenset({"powersave"}), 0)}, "cpu load", "note", "steady figures need two"),
    ({"cpu": Cpu(2, frozenset({"powersave"}), 0)}, "cpu governor", "note", "the CPU clock varies"),
    ({"lock": Lock(True, who="process 7 of user 0")}, "host lock", "note", "held by process 7 of user 0"),
]


@pytest.mark.parametrize(("changes", "name", "state", "text"), OTHERS)
def test_what_another_host_of_the_run_lacks_is_said_with_its_name(changes, name, state, text):
    host = replace(GOOD, sides=1, others=(replace(THERE, **changes),), network=Network(bytes_per_s=118e6))
    found = {finding.name: finding for finding in check_host(host)}
    one = found[f"{name} of lab2"]
    assert one.state == state and text in one.text and able(found.values()) is (state != "fault")
    assert found["network"].text == "118.00 MB/s from the source to the destination"


def test_a_network_over_which_nothing_gets_is_a_fault():
    found = list(check_host(replace(GOOD, others=(THERE,), network=Network(fault="no TCP connection gets"))))
    assert (found[-1].name, found[-1].state, found[-1].text) == ("network", "fault", "no TCP connection gets")


def test_a_host_on_which_no_side_runs_needs_no_qemu_no_pages_and_no_kvm():
    lacking = {
        "qemus": (replace(PPC, fault="none", binary="", release=(0, 0, 0)),),
        "kvm": Kvm("x86_64", "missing", False, False),
        "kvm_wanted": True,
        "pages": (),
        "available_bytes": 512 * MIB,
    }
    assert able(check_host(replace(GOOD, **lacking, sides=0)))
    faults = [finding.name for finding in check_host(replace(GOOD, **lacking, sides=1)) if finding.state == "fault"]
    assert faults == ["qemu ppc64", "kvm", "hugepages 2M", "memory"]


def test_a_link_made_without_root_says_where():
    shaped = replace(GOOD.shaped, in_user_namespace=True)
    told = summary(list(check_host(replace(GOOD, shaped=shaped))))
    assert "link=shaped   ok     a link of 50 MB/s carries 49.99 MB/s, in a user namespace\n" in told


def test_pages_of_each_node_are_told_apart():
    two = replace(HUGE, nodes=(NodePages(0, 200, 190), NodePages(1, 100, 100)))
    assert "(node 0: 190 of 200 free, node 1: 100 of 100 free)" in summary(
        list(check_host(replace(GOOD, pages=(two,))))
    )


@pytest.mark.parametrize(
    ("changes", "conclusion"),
    [
        ({}, "cannot run on hugepages; it can on 4 KiB pages: -p page_size=4K"),
        ({"available_bytes": 1 << 20}, "cannot run; see the faults above"),
    ],
)
def test_a_host_that_lacks_only_hugepages_is_told_what_it_can_do(changes, conclusion):
    told = summary(list(check_host(replace(GOOD, pages=(few(),), **changes))))
    assert told.endswith(f"\ndefault test  fault  {conclusion}")


def test_lines_fit_a_terminal_and_go_on_below_their_own_column():
    text = fitted(summary(list(check_host(replace(GOOD, pages=(few(),))))), 60)
    assert max(map(len, text.splitlines())) <= 60
    assert "\n              fix:   as root: grow, or use 4 KiB pages: -p\n                     page_size=4K" in text
    assert (
        "the default\n                     run needs 256, but only root can\n                     reserve more\n"
        in text
    )
    long = "label      " + "x" * 200
    assert [line[:11] for line in fitted(long, 80).splitlines()] == ["label      ", " " * 11, " " * 11]


def test_files_that_runs_have_left_are_named_with_size_and_age():
    ages_s = (2 * 86400, 3600, 180, 1)
    left = tuple(LeftFiles(f"/tmp/{number}", 1_200_000, age_s) for number, age_s in enumerate(ages_s))
    [found] = [finding for finding in check_host(replace(GOOD, left_files=left)) if finding.name == "kept files"]
    assert found.text == (
        "left by 4 runs that did not pass or were killed: /tmp/0 (1.2 MB, 2 days old), /tmp/1 (1.2 MB, 1 hour old), "
        "/tmp/2 (1.2 MB, 3 minutes old) and 1 more, 4.8 MB in all"
    )
    assert found.mend == "rm -r /tmp/0 /tmp/1 /tmp/2 /tmp/3"
