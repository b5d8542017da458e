# SPDX-License-Identifier: GPL-2.0-or-later
"""A link of a chosen rate between two network namespaces, for root and for ordinary users."""

from contextlib import AbstractContextManager

from .netns import may_make_networks
from .unprivileged import wire_in_user_namespace
from .wire import ShapedLink, wire


def shaped_link(bytes_per_s: int) -> AbstractContextManager[ShapedLink]:
    """A link that carries so much payload from its source to its destination; the way back is not limited.

    Whoever may not make networks has it in a user namespace, of which he is root. Raises NotPermittedError where he may
    not make that either, HostRequirementError, with what fixes it, where programs or the kernel cannot make the link,
    HarnessError where nothing gets over it.
    """
    return wire(bytes_per_s) if may_make_networks() else wire_in_user_namespace(bytes_per_s)
