# SPDX-License-Identifier: GPL-2.0-or-later
"""A link of a chosen rate between two network namespaces, for root and for ordinary users."""

from contextlib import AbstractContextManager

from .netns import may_make_networks
from .unprivileged import wire_in_user_namespace
from .wire import ShapedLink, wire


def shaped_link(bytes_per_s: int) -> AbstractContextManager[ShapedLink]:
    """A link that carries `bytes_per_s` of payload from source to destination; the way back is not limited.

    A user who may not create networks gets it in a user namespace, as root of that. Raises NotPermittedError if the
    user may not create that either; HostRequirementError, with what fixes it, if programs or the kernel cannot make the
    link; HarnessError if nothing gets through.
    """
    return wire(bytes_per_s) if may_make_networks() else wire_in_user_namespace(bytes_per_s)
