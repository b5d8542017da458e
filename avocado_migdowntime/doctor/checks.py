# SPDX-License-Identifier: GPL-2.0-or-later
"""One check for each property of a host. The checks read nothing themselves, so tests can judge made-up hosts."""

import shlex
from collections.abc import Iterator
from dataclasses import replace

from ..basics.packages import IPROUTE2
from ..basics.programs import WHERE
from ..basics.run_directory import LeftFiles
from ..basics.units import MIB, format_size
from ..host.reservation import KEPT_FREE_BYTES
from .host import Cpu, Host, Kvm, Lock, Network, OtherHost, Pages, Qemu, Shaped, Version
from .host_check import HostCheck, State

OLDEST_RELEASE, NEWEST_RELEASE = (5, 2), (11, 1)
"""Every figure of this project was measured with releases in this range."""
NEEDED_CAPABILITIES = frozenset({"events"})
_QEMU_BYTES = 64 * MIB
"""Memory that a QEMU takes besides the guest's RAM."""
_MODULES = {"x86_64": "kvm_intel || modprobe kvm_amd", "ppc64": "kvm_hv"}
_SMALL_PAGES = "4 KiB pages: -p page_size=4K (avocado run: --migdowntime-page-size 4K)"
_MOST_DESCRIBED = 3
"""The most directories that are described individually."""
_QUIET_GOVERNORS = frozenset({"performance"})
_LESS_LOAD = "stop what `top` shows, or wait"
_CARRIED_SHARE = 0.9
"""The least part of its bandwidth that a shaped link carries on a quiet host."""


def check_host(host: Host) -> Iterator[HostCheck]:
    """Run every check, in the order in which a person would fix the findings."""
    yield from check_versions(host.versions)
    for qemu in host.qemus:
        yield check_qemu(qemu, _without(bool(host.sides) and qemu.arch == host.arch))
    yield from check_capabilities(host.qemus)
    yield check_kvm(host.kvm, _without(bool(host.sides) and host.kvm_wanted))
    of_size = any(pages.page_size_bytes == host.page_size_bytes for pages in host.pages)
    if host.sides and not host.small_pages_bytes and not of_size:
        yield _no_pages(host.page_size_bytes)
    for pages in host.pages:
        yield check_pages(pages, host.root)
    yield check_memory(host.available_bytes, host.pages, host.small_pages_bytes, host.sides)
    yield check_shaped(host.shaped, _without(host.shaped_wanted))
    yield check_governor(host.cpu)
    yield check_load(host.cpu)
    yield check_lock(host.lock)
    yield check_left(host.left_files)
    for other in host.others:
        for check in check_other(other, host.kvm_wanted):
            yield replace(check, name=f"{check.name} of {other.name}")
    if host.network is not None:
        yield check_network(host.network)


def check_other(other: OtherHost, kvm_wanted: bool) -> Iterator[HostCheck]:
    """The same for another host, as far as the default run needs it."""
    if other.fault:
        yield HostCheck("access", State.FAULT, other.fault)
        return
    yield HostCheck("access", State.OK, f"answers over SSH, by its python3 {other.python}")
    if other.qemu is not None:
        yield check_qemu(other.qemu, State.FAULT)
    if other.kvm is not None:
        yield check_kvm(other.kvm, _without(kvm_wanted))
    if other.pages is not None:
        yield check_pages(other.pages, other.root)
    elif not other.small_pages_bytes:
        yield _no_pages(other.page_size_bytes)
    yield check_memory(other.available_bytes, () if other.pages is None else (other.pages,), other.small_pages_bytes, 1)
    if other.cpu is not None:
        yield check_governor(other.cpu)
        yield check_load(other.cpu)
    if other.lock is not None:
        yield check_lock(other.lock)


def check_network(network: Network) -> HostCheck:
    """A migration's connection reaches the other host."""
    if network.fault:
        return HostCheck("network", State.FAULT, network.fault)
    return HostCheck("network", State.OK, f"{network.bytes_per_s / 1e6:.2f} MB/s from the source to the destination")


def _without(needed: bool) -> State:
    """The state of something unusable: FAULT if the default run needs it."""
    return State.FAULT if needed else State.NOTE


def check_versions(versions: tuple[Version, ...]) -> Iterator[HostCheck]:
    """The required packages are installed, in releases that work."""
    if fitting := ", ".join(f"{version.name} {version.installed}" for version in versions if version.fits):
        yield HostCheck("versions", State.OK, fitting)
    for version in versions:
        if not version.fits:
            text = f"is {version.installed}" if version.installed else "is not installed"
            mend = f"pip install {version.pip or repr(version.requirement)}"
            yield HostCheck(
                "version", State.FAULT, f"{version.name} {text}, but {version.requirement} is required", mend
            )


def check_qemu(qemu: Qemu, without: State) -> HostCheck:
    """The QEMU of an architecture is usable; `without` is the state if it is not."""
    name = f"qemu {qemu.arch}"
    if qemu.fault:
        # Packages do not fix what the settings ask for, nor a QEMU that answers: the fault itself says what to do.
        if qemu.is_named or any(qemu.release):
            return HostCheck(name, without, qemu.fault)
        what = qemu.fault.partition("; install ")[0]
        return HostCheck(name, without, what, qemu.package.reinstall if qemu.binary else qemu.package.install)
    release = ".".join(map(str, qemu.release))
    text = f"{release} {qemu.binary}"
    another = "give another binary: --migdowntime-qemu PATH"
    if lacking := NEEDED_CAPABILITIES - qemu.capabilities:
        return HostCheck(name, without, f"{text} has no migration capability {', '.join(sorted(lacking))}", another)
    accelerators = "TCG and KVM" if qemu.has_kvm else "TCG"
    text += f": {', '.join(qemu.machines)}; {accelerators}; {len(qemu.capabilities)} migration capabilities"
    if not OLDEST_RELEASE <= qemu.release[:2] <= NEWEST_RELEASE:
        tried = " to ".join(".".join(map(str, release)) for release in (OLDEST_RELEASE, NEWEST_RELEASE))
        return HostCheck(name, State.NOTE, f"{text}; this tool was tested with {tried}", another)
    return HostCheck(name, State.OK, text)


def check_capabilities(qemus: tuple[Qemu, ...]) -> Iterator[HostCheck]:
    """The migration capabilities by name, once for all QEMUs that have the same."""
    for capabilities in dict.fromkeys(qemu.capabilities for qemu in qemus if qemu.capabilities):
        archs = [qemu.arch for qemu in qemus if qemu.capabilities == capabilities]
        yield HostCheck("capabilities", State.OK, f"{', '.join(sorted(capabilities))} ({', '.join(archs)})")


def check_kvm(kvm: Kvm, without: State) -> HostCheck:
    """A guest starts under KVM. Otherwise tests use TCG, unless KVM is required."""
    if not kvm.fault:
        return HostCheck("kvm", State.OK, f"a guest of {kvm.arch} starts under KVM")
    mend = kvm.fix
    if not mend and not kvm.device_exists:
        module = _MODULES.get(kvm.arch, "kvm")
        mend = f"as root: modprobe {module} (in a virtual machine: enable nested virtualisation on its host)"
    elif not mend and not kvm.may_open:
        mend = "as root: usermod --append --groups kvm USER, with your name, then log in again"
    instead = "; tests use TCG" if without is State.NOTE else ""
    return HostCheck("kvm", without, f"{kvm.fault}{instead}", mend)


def check_pages(pages: Pages, root: bool) -> HostCheck:
    """Hugepages of one size are available for the default run, or can be added."""
    counters = pages.counters
    text = f"{counters.free} of {counters.total} free, {counters.reserved} reserved"
    if len(pages.nodes) > 1:
        text += f" ({', '.join(f'node {n.node}: {n.free} of {n.total} free' for n in pages.nodes)})"
    name = f"hugepages {format_size(pages.page_size_bytes)}"
    text += f"; the default run needs {pages.needed or 'none'}"
    if not pages.missing:
        return HostCheck(name, State.OK, text)
    if pages.may_grow:
        return HostCheck(
            name, State.OK, f"{text}; it reserves the {pages.missing} missing ones and releases them later"
        )
    why = "but only root can reserve more"
    if root:
        why = "but reserves none: reserve_hugepages is off, or /sys is read-only here"
    return HostCheck(name, State.FAULT, f"{text}, {why}", f"as root: {pages.grow_command}, or use {_SMALL_PAGES}")


def check_memory(available_bytes: int, pages: tuple[Pages, ...], small_pages_bytes: int, qemus: int) -> HostCheck:
    """There is enough memory for the pages, for QEMU, and for the rest of the host."""
    needed = sum(each.missing * each.page_size_bytes for each in pages)
    needed += small_pages_bytes + qemus * _QEMU_BYTES + KEPT_FREE_BYTES
    text = f"{available_bytes // MIB} MiB available, the default run needs {needed // MIB} MiB"
    if available_bytes >= needed:
        return HostCheck("memory", State.OK, text)
    return HostCheck("memory", State.FAULT, text, "stop what `ps -eo rss,pid,args --sort -rss | head` shows")


def check_shaped(shaped: Shaped, without: State) -> HostCheck:
    """A slow link can be built from network namespaces, a veth pair and a tbf qdisc."""
    name, carried = "link=shaped", shaped.bytes_per_s / 1e6
    if shaped.missing_programs:
        programs = " and ".join(shaped.missing_programs)
        return HostCheck(name, without, f"no {programs} {WHERE}", IPROUTE2.install)
    if shaped.fault:
        return HostCheck(name, without, shaped.fault, "run avocado as root" if shaped.forbidden else "")
    if shaped.loadable:
        return HostCheck(name, State.OK, f"not tried: it would load the kernel's {', '.join(shaped.loadable)}")
    where = ", in a user namespace" if shaped.in_user_namespace else ""
    text = f"a link of {shaped.wanted_bytes_per_s / 1e6:g} MB/s carries {carried:.2f} MB/s{where}"
    if shaped.bytes_per_s < _CARRIED_SHARE * shaped.wanted_bytes_per_s:
        return HostCheck(name, State.NOTE, f"{text}: the host is too busy for it", _LESS_LOAD)
    return HostCheck(name, State.OK, text)


def check_governor(cpu: Cpu) -> HostCheck:
    """The CPUs keep their clock rate, so the guest keeps its dirty rate."""
    if not cpu.governors:
        return HostCheck("cpu governor", State.OK, "no CPU governor is visible on this host")
    text = ", ".join(sorted(cpu.governors))
    if cpu.governors <= _QUIET_GOVERNORS:
        return HostCheck("cpu governor", State.OK, text)
    mend = "as root: cpupower frequency-set --governor performance"
    return HostCheck("cpu governor", State.NOTE, f"{text}: the CPU clock varies, and so does the guest's rate", mend)


def check_load(cpu: Cpu) -> HostCheck:
    """CPUs are free for the guest and for the migration thread."""
    text = f"load {cpu.load:.2f} on {cpu.usable} CPUs"
    if cpu.usable < 2:
        return HostCheck("cpu load", State.NOTE, f"{text}: steady figures need two", "give the host more CPUs")
    if cpu.load > cpu.usable / 2:
        return HostCheck("cpu load", State.NOTE, f"{text}: verdicts may be inconclusive on a busy host", _LESS_LOAD)
    return HostCheck("cpu load", State.OK, text)


def check_lock(lock: Lock) -> HostCheck:
    """No other test is running on this host."""
    if not lock.is_held:
        return HostCheck("host lock", State.OK, "free")
    if not lock.holders:
        return HostCheck("host lock", State.NOTE, f"held by {lock.who}; tests wait for it", "wait, or ask that user")
    who = ", ".join(f"process {pid} ({command})" for pid, command in lock.holders)
    pids = " ".join(str(pid) for pid, _ in lock.holders)
    return HostCheck("host lock", State.NOTE, f"held by {who}; tests wait for it", f"wait, or end it: kill {pids}")


def check_left(files: tuple[LeftFiles, ...]) -> HostCheck:
    """Temporary files kept by earlier runs: only their user can say that they are no longer needed."""
    name = "kept files"
    if not files:
        return HostCheck(name, State.OK, "no temporary files of earlier runs")
    descriptions = ", ".join(
        f"{one.path} ({_megabytes(one.size_bytes)}, {_age(one.age_s)} old)" for one in files[:_MOST_DESCRIBED]
    )
    more = f" and {len(files) - _MOST_DESCRIBED} more" if len(files) > _MOST_DESCRIBED else ""
    total = f", {_megabytes(sum(one.size_bytes for one in files))} in all" if len(files) > 1 else ""
    runs = "a run" if len(files) == 1 else f"{len(files)} runs"
    mend = f"rm -r {shlex.join(one.path for one in files)}"
    return HostCheck(
        name, State.NOTE, f"left by {runs} that did not pass or were killed: {descriptions}{more}{total}", mend
    )


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"


def _age(age_s: float) -> str:
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if number := int(age_s // seconds):
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return "less than a minute"


def _no_pages(page_size_bytes: int) -> HostCheck:
    size = format_size(page_size_bytes)
    return HostCheck(f"hugepages {size}", State.FAULT, f"the kernel has no hugepages of {size}", f"use {_SMALL_PAGES}")
