# SPDX-License-Identifier: GPL-2.0-or-later
"""A shaped link for users who may not create networks, made by a process that is root in its own user namespace.

This process has several threads, so it cannot enter a user namespace. Another process makes the link there, passes
descriptors of its namespaces, and ends. From then on the link lasts as long as one made by root: until the descriptors
are closed and the QEMUs in it have ended, however that happens.
"""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ..errors import HarnessError
from .module_process import environment, module_command
from .netns import Namespace
from .protocol import PACKET_BYTES, Refusal
from .wire import ShapedLink
from .wire_process import DESCRIPTORS, WireReply, decode


@contextmanager
def wire_in_user_namespace(bytes_per_s: int) -> Iterator[ShapedLink]:
    """A link like that of `wire`, in a new user namespace.

    Raises NotPermittedError if this process may not have one, else what `wire` raises.
    """
    reply, descriptors = _set_up(bytes_per_s)
    with ExitStack() as stack:
        for each in descriptors:
            stack.callback(os.close, each)
        if isinstance(reply, Refusal):
            raise reply.exception()
        owner, source, destination = descriptors
        yield ShapedLink(
            Namespace(source, owner),
            Namespace(destination, owner),
            reply.address,
            reply.bytes_per_s,
            in_user_namespace=True,
        )


def _set_up(bytes_per_s: int) -> tuple[WireReply, list[int]]:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with its:
            process = _started(its, bytes_per_s)
        with process:
            try:
                packet, descriptors, *_ = socket.recv_fds(ours, PACKET_BYTES, DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
                if packet:
                    return decode(packet), descriptors
            finally:
                process.kill()
            assert process.stderr is not None
            last = (process.stderr.read().strip().splitlines() or ["it printed nothing"])[-1]
            raise HarnessError(
                f"the process that sets up a link in a user namespace ended: {last}; run as root, or use link=tcp or "
                "link=unix"
            )


def _started(its_socket: socket.socket, bytes_per_s: int) -> subprocess.Popen[str]:
    # In its own process group, it is ended by this process and not by the terminal's Ctrl-C.
    command = module_command("host.wire_process", str(its_socket.fileno()), str(bytes_per_s))
    try:
        return subprocess.Popen(
            command,
            env=environment(),
            cwd="/",
            process_group=0,
            pass_fds=[its_socket.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    except OSError as error:
        raise HarnessError(
            f"the process that sets up a link in a user namespace could not be started ({error}); see if "
            f"`{' '.join(command)}` can run here"
        ) from None
