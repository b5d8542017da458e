# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's own Python binding, imported on first use, with its event loop in a thread."""

import threading
from functools import cache
from typing import Any

from ..errors import HostRequirementError


class Binding:
    """The modules `libvirt` and `libvirt_qemu`; the second is None if the binding lacks it."""

    def __init__(self) -> None:
        try:
            import libvirt
        except ImportError as error:
            raise HostRequirementError(
                f"libvirt's Python binding cannot be imported ({error}); install it with pip install libvirt-python, "
                "which needs a compiler, pkg-config and libvirt-dev, or use virsh qemu-monitor-command and record -"
            ) from None
        try:
            import libvirt_qemu
        except ImportError:
            libvirt_qemu = None
        self.libvirt: Any = libvirt
        self.qemu: Any = libvirt_qemu


@cache
def binding() -> Binding:
    """The binding, which delivers events from now on; raises HostRequirementError if it is not installed."""
    new_binding = Binding()
    new_binding.libvirt.registerErrorHandler(lambda context, error: None, None)  # It would print errors.
    new_binding.libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=_tell_events, args=(new_binding.libvirt,), daemon=True).start()
    return new_binding


def _tell_events(libvirt: Any) -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
