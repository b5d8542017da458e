# SPDX-License-Identifier: GPL-2.0-or-later
"""Made-up hosts for `doctor` to judge."""

from dataclasses import replace

from avocado_migdowntime.doctor.checks import check_host
from avocado_migdowntime.doctor.host import Cpu, Host, Kvm, Lock, NodePages, Pages, Qemu, Shaped, Version
from avocado_migdowntime.host.pool import Counters
from avocado_migdowntime.qemu.profiles import PROFILES
from avocado_migdowntime.report.doctor import summary

MIB = 1 << 20
PPC = Qemu(
    "ppc64",
    PROFILES["ppc64"].package,
    False,
    "/bin/q",
    (7, 2, 22),
    ("pseries",),
    False,
    frozenset({"events", "xbzrle"}),
)
ARM = replace(PPC, arch="arm", package=PROFILES["arm"].package, machines=("virt",))
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
    left_files=(),
    versions=(Version("numpy", "numpy==2.*", "2.4.6", True),),
    root=False,
)


def few(**changes):
    """Ten hugepages where 256 are needed."""
    return replace(HUGE, counters=Counters(10, 10, 0, 0), missing=246, grow_command="grow", **changes)


SHORT_OF_PAGES = replace(GOOD, pages=(few(),))


def told(host):
    """What a person is told about it."""
    return summary(list(check_host(host))) + "\n"
