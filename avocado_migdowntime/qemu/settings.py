# SPDX-License-Identifier: GPL-2.0-or-later
"""Capabilities and migrate parameters, in the types of the QEMU that is to run; checks them before any guest is
launched.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..basics.alike import meant
from ..basics.printable import quoted
from ..basics.units import parse_size
from ..errors import HarnessError, HostRequirementError, UnusableBuildError, UsageError
from ..parameters.capabilities import DIRTY_LIMIT
from ..parameters.migrate_parameters import CHOICES, MIGRATE_PARAMETERS
from .launching import HERE, Launcher
from .probe import QemuInfo
from .process import QemuProcess

_FLAGS = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}


def typed(qemu_info: QemuInfo, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The values of migrate parameters in the types that QMP takes.

    Raises HostRequirementError if this QEMU lacks a parameter or a choice of it, UsageError if a value has another
    type, or if no QEMU is known to have such a parameter or choice.
    """
    return {name: _typed(qemu_info, name, text) for name, text in pairs}


async def check_taken(
    process_name: str,
    qemu_info: QemuInfo,
    capabilities: Sequence[str],
    settings: Mapping[str, Any],
    directory: Path,
    sockets: Path,
    launcher: Launcher = HERE,
) -> None:
    """Switch capabilities on and set parameters, all at once as a run does, on a QEMU without a guest.

    Raises UnusableBuildError with QEMU's own words if it refuses them, HostRequirementError if it ignores a parameter.
    """
    # QEMU has this one only with KVM and its dirty ring.
    switched = [name for name in capabilities if name != DIRTY_LIMIT]
    if not switched and not any(isinstance(value, int) and not isinstance(value, bool) for value in settings.values()):
        return
    arguments = ("-machine", "none", "-nodefaults", "-display", "none")
    process = QemuProcess(process_name, qemu_info.binary, arguments, directory, sockets, launcher=launcher)
    its_name = f"QEMU {qemu_info.release_text}"
    async with process as qemu:
        try:
            on = [{"capability": name, "state": True} for name in switched]
            await qemu.execute("migrate-set-capabilities", {"capabilities": on})
        except HarnessError as error:
            given = ",".join(switched)
            raise UnusableBuildError(
                f"{its_name} refuses capabilities={given}: {error.__cause__ or error}; give others"
            ) from None
        try:
            await qemu.execute("migrate-set-parameters", settings)
        except HarnessError as error:
            given = ",".join(f"{name}={value}" for name, value in settings.items())
            raise UnusableBuildError(
                f"{its_name} refuses migrate_parameters={given}: {error.__cause__ or error}; give another value"
            ) from None
        in_force = await qemu.execute("query-migrate-parameters")
    for name, value in settings.items():
        if name in in_force and in_force[name] != value:
            raise HostRequirementError(
                f"{its_name} ignores migrate parameter {name}={value}, which stays {in_force[name]}; leave it out, or "
                "give another `qemu`"
            )


def _typed(qemu_info: QemuInfo, name: str, text: str) -> Any:
    kinds, qemu = qemu_info.migrate_parameter_kinds, f"QEMU {qemu_info.release_text}"
    if name not in kinds:
        lacks = f"{qemu} has no migrate parameter {name}"
        if name not in MIGRATE_PARAMETERS:
            known = sorted({*MIGRATE_PARAMETERS, *kinds})
            raise UnusableBuildError(f"{lacks}, and no release is known to have it; {meant(name, known)}")
        raise HostRequirementError(f"{lacks}; see what query-migrate-parameters shows, or give another `qemu`")
    kind, what = kinds[name], f"migrate parameter {name} of {qemu}"
    if not isinstance(kind, str):
        if text not in kind:
            says = f"{what} can be {', '.join(kind)}, not {quoted(text)}"
            if text not in CHOICES.get(name, (text,)):
                raise UnusableBuildError(f"{says}; {meant(text, CHOICES[name])}")
            raise HostRequirementError(f"{says}; give one of these")
        return text
    if kind == "boolean":
        if text.lower() not in _FLAGS:
            raise UsageError(f"{what} is on or off, not {quoted(text)}; give one of the two")
        return _FLAGS[text.lower()]
    if kind == "int":
        try:
            return parse_size(text)
        except UsageError:
            raise UsageError(
                f"{what} is a whole number and at least 0, not {quoted(text)}; give one, such as 4 or 64M"
            ) from None
    if kind in ("array", "object"):
        raise UsageError(f"{what} is not a single value, so it cannot be set here; leave it out")
    return text
