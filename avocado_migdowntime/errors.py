# SPDX-License-Identifier: GPL-2.0-or-later
"""The exceptions, by who has to act.

    MigDowntimeError
     ├── UsageError            the user gave something that cannot be used
     │    └── UnusableBuildError  it is a build without a QEMU that starts and takes the parameters
     ├── HostRequirementError  this host, or its QEMU, lacks something that a run needs
     │    └── NotPermittedError  it has it, but not for this user
     └── HarnessError          QEMU or the harness did something unexpected

Each message is one sentence: what was seen, what was expected, what to try.
"""


class MigDowntimeError(Exception):
    """The base of all exceptions that this package raises on purpose."""


class UsageError(MigDowntimeError):
    """A file, an option or a parameter cannot be used as given."""


class UnusableBuildError(UsageError):
    """A build has, or is, no QEMU that starts and takes these parameters; `git bisect run` skips it."""


class HostRequirementError(MigDowntimeError):
    """The host lacks something that the run needs; the message names the command that fixes it."""


class NotPermittedError(HostRequirementError):
    """Only others, such as root, may use what the run needs; the message says how to allow it."""


class HarnessError(MigDowntimeError):
    """QEMU ended, refused a command or stayed silent unexpectedly."""
