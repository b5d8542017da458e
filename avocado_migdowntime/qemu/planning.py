# SPDX-License-Identifier: GPL-2.0-or-later
"""Plans the guest from the parameters, as far as possible before anything is launched."""

from collections.abc import Callable
from dataclasses import replace

from ..basics.alike import meant
from ..basics.resources import directory as resource
from ..errors import HostRequirementError, UnusableBuildError, UsageError
from ..host.resources import HostResources
from ..linux.image import linux_image
from ..parameters.capabilities import CAPABILITIES, DIRTY_LIMIT
from ..parameters.migrate_parameters import MIGRATE_PARAMETERS, NORMAL_MODE, check_capabilities
from ..parameters.setting import check_had, check_settings
from ..parameters.table import ANY_ARCHITECTURE, ARCHITECTURES, Parameters
from .backing import Backing
from .guest import Guest, Linux, Orders, choose_machine
from .probe import QemuInfo
from .profiles import PROFILES, Profile
from .settings import typed

_FILE_SINCE = (8, 2, 0)
REGION_FLOOR_BYTES = 16 << 20
"""Bytes from the start of RAM that the program itself occupies (images/README.md: What is where)."""
_NOT_ANSWERED = ("exec", "file")


async def planned_guest(
    parameters: Parameters, qemu_info: QemuInfo, backing: Backing, resources: HostResources, say: Callable[[str], None]
) -> Guest:
    """The guest, planned for TCG; builds the Linux image if needed. Raises UsageError or HostRequirementError."""
    profile = PROFILES[parameters.arch]
    check_vcpus(profile, parameters)
    linux = await _linux(profile, parameters, resources, say)
    return Guest(
        profile,
        choose_machine(profile, qemu_info, parameters.machine),
        "tcg",
        _boot(profile, qemu_info, parameters),
        parameters.ram,
        backing,
        Orders(
            parameters.pattern,
            parameters.region,
            parameters.rate,
            parameters.granule,
            parameters.hot,
            parameters.share,
            parameters.burst,
            hugepages=bool(parameters.guest_page_size),
            vcpus=parameters.vcpus,
            start_bytes=start_bytes(profile, parameters) if parameters.numa_nodes > 1 and linux is None else None,
        ),
        linux,
        DIRTY_LIMIT in parameters.capabilities,
    )


def for_architecture(parameters: Parameters, qemu_info: QemuInfo) -> Parameters:
    """Fill in this QEMU's architecture if none was chosen; raises UnusableBuildError if there is no guest for it."""
    if parameters.arch != ANY_ARCHITECTURE:
        return parameters
    if qemu_info.arch not in ARCHITECTURES:
        raise UnusableBuildError(
            f"{qemu_info.binary} emulates {qemu_info.arch}, for which there is no guest; give a QEMU for one of "
            f"{', '.join(ARCHITECTURES)}"
        )
    return replace(parameters, arch=qemu_info.arch)


def check(qemu_info: QemuInfo, parameters: Parameters) -> None:
    """Check one QEMU against the parameters.

    Raises UnusableBuildError if its architecture is another, or if no QEMU has what they name, HostRequirementError if
    it lacks what the parameters need.
    """
    if qemu_info.arch != parameters.arch:
        raise UnusableBuildError(
            f"{qemu_info.binary} emulates {qemu_info.arch}, not {parameters.arch}; give another with `qemu`, "
            "or another `arch`"
        )
    for name in parameters.capabilities:
        if name in qemu_info.migrate_capabilities:
            continue
        lacks = f"QEMU {qemu_info.release_text} has no migration capability {name}"
        if name not in CAPABILITIES:
            known = sorted({*CAPABILITIES, *qemu_info.migrate_capabilities})
            raise UnusableBuildError(f"{lacks}, and no release is known to have it; {meant(name, known)}")
        raise HostRequirementError(f"{lacks}; see what query-migrate-capabilities shows, or give another `qemu`")
    if parameters.link == "file" and qemu_info.release < _FILE_SINCE:
        raise HostRequirementError(
            f"QEMU {qemu_info.release_text} cannot migrate to a file by itself, as QEMU 8.2 and later can; "
            "use link=exec, or give another `qemu`"
        )
    typed(qemu_info, parameters.migrate_parameters)


def check_among_themselves(parameters: Parameters) -> None:
    """Raise UsageError if capabilities and migrate parameters do not fit each other or the link."""
    names = [name for name, _ in parameters.migrate_parameters]
    check_settings("capability", parameters.capabilities, CAPABILITIES, parameters)
    check_settings("migrate parameter", names, MIGRATE_PARAMETERS, parameters)
    check_capabilities(names, parameters.capabilities)
    check_had(parameters.capabilities, CAPABILITIES)
    check_had([pair[0] for pair in parameters.migrate_parameters if pair != NORMAL_MODE], MIGRATE_PARAMETERS)
    if parameters.postcopy != "no" and "postcopy-ram" not in parameters.capabilities:
        together = ",".join((*parameters.capabilities, "postcopy-ram"))
        raise UsageError(
            f"postcopy={parameters.postcopy} needs the capability postcopy-ram; "
            f"give capabilities={together}, or postcopy=no"
        )
    _check_hosts(parameters)
    if parameters.tls != "none" and parameters.link in _NOT_ANSWERED:
        raise UsageError(
            f"tls={parameters.tls} needs a link over which the destination can answer, but link={parameters.link} goes "
            "one way; use another link, or tls=none"
        )


def _check_hosts(parameters: Parameters) -> None:
    """Raise UsageError if another host is named, but a parameter works within one host only."""
    if not parameters.other_hosts:
        return
    others = parameters.other_hosts[0]
    if parameters.link not in ("unix", "tcp"):
        raise UsageError(
            f"link={parameters.link} works within one host, but {others} names another; leave one of them out"
        )
    if parameters.shared_disk:
        raise UsageError(
            f"a shared_disk is a file on one host, but {others} names another; leave it out, or name a disk on the "
            "hosts' own shared storage in qemu_arguments"
        )
    if parameters.postcopy == "recovery":
        raise UsageError(
            f"postcopy=recovery works within one host, but {others} names another; use postcopy=yes, or one host"
        )


async def _linux(
    profile: Profile, parameters: Parameters, resources: HostResources, say: Callable[[str], None]
) -> Linux | None:
    if parameters.guest != "linux":
        if parameters.guest_page_size:
            raise UsageError("guest_page_size is for guest=linux; the guest without an operating system has `granule`")
        return None
    if profile.linux is None:
        architectures = ", ".join(arch for arch, other in PROFILES.items() if other.linux)
        raise UsageError(f"there is no Linux guest for {profile.arch}; use guest=dirtier, or arch {architectures}")
    image = await linux_image(profile.linux.recipe, resource("images") / "linux", resources, say)
    return Linux(image, parameters.guest_page_size)


def check_vcpus(profile: Profile, parameters: Parameters) -> None:
    """Raise UsageError if not all of the vCPUs can dirty memory."""
    most = profile.most_vcpus if parameters.guest == "dirtier" else 1
    if parameters.vcpus > most:
        several = ", ".join(arch for arch, other in PROFILES.items() if other.most_vcpus > 1)
        whose = f"a guest of {profile.arch}" if parameters.guest == "dirtier" else "a Linux guest"
        raise UsageError(
            f"the vcpus={parameters.vcpus} of {whose} cannot all dirty memory; use guest=dirtier and one of arch "
            f"{several}, or add idle vCPUs with qemu_arguments='-smp {parameters.vcpus}'"
        )
    if parameters.region // parameters.granule < parameters.vcpus:
        raise UsageError(
            f"a region of {parameters.region // parameters.granule} granules is less than one for each of "
            f"vcpus={parameters.vcpus}; choose a larger `region`, or fewer vCPUs"
        )
    if 0 < parameters.rate < parameters.vcpus:
        raise UsageError(
            f"rate={parameters.rate} is less than a page per second for each of vcpus={parameters.vcpus}; choose a "
            "higher `rate`, or fewer vCPUs"
        )


def start_bytes(profile: Profile, parameters: Parameters) -> int:
    """The start of a region that lies half in each of the first two NUMA nodes, as far as there is room."""
    begin = parameters.ram // parameters.numa_nodes - parameters.region // 2
    begin = max(begin - begin % parameters.granule, -(-REGION_FLOOR_BYTES // parameters.granule) * parameters.granule)
    return profile.ram_start + begin


def _boot(profile: Profile, qemu_info: QemuInfo, parameters: Parameters) -> str:
    if parameters.guest == "linux" and profile.linux and qemu_info.release < profile.linux.direct_since:
        return "firmware"
    return parameters.boot
