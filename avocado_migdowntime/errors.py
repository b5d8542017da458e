# SPDX-License-Identifier: GPL-2.0-or-later
"""What can go wrong, by who has to fix it.

    MigDowntimeError
     ├── UsageError            the user gave something that cannot be used
     ├── HostRequirementError  this machine, or the QEMU on it, has not got what the run needs
     │    └── NotPermittedError  it has, for others than this user
     └── HarnessError          QEMU or the harness did something unforeseen

Each message is one sentence: what was seen, what was expected, what to try.
"""


class MigDowntimeError(Exception):
    """Root of every error that this package raises on purpose."""


class UsageError(MigDowntimeError):
    """A file, an option or a parameter cannot be used as it was given."""


class HostRequirementError(MigDowntimeError):
    """The host lacks something that the run needs; the message names the command that fixes it."""


class NotPermittedError(HostRequirementError):
    """What the run needs is for others, such as root; the message names what would allow it."""


class HarnessError(MigDowntimeError):
    """QEMU ended, refused a command or stayed silent unexpectedly."""
