# SPDX-License-Identifier: GPL-2.0-or-later
"""Sub-commands of `avocado migdowntime`.

Each is a module with NAME, SUMMARY, configure(parser) and run(arguments) -> status, and optionally NOTES, STATUSES and
EXAMPLES.
"""

GROUPS = {
    "a migration": ("watch", "record", "analyze", "advise", "report", "score"),
    "builds of QEMU": ("judge", "verify", "compare", "qemu"),
    "the tool itself": ("doctor", "list", "faulty", "selftest"),
}
"""The names of the commands, by group."""

COMMANDS = tuple(name for names in GROUPS.values() for name in names)

BAD_INPUT = 2
"""Exit status of bad input."""
UNTOLD = 125
"""Exit status if there is no answer: the data cannot tell, this host lacks something, or QEMU failed.

`git bisect run` skips such a commit.
"""
