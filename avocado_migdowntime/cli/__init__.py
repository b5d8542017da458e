# SPDX-License-Identifier: GPL-2.0-or-later
"""Sub-commands of `avocado migdowntime`: modules with NAME, HELP, configure(parser) and run(arguments) -> status."""

COMMANDS = (
    "advise",
    "analyze",
    "compare",
    "doctor",
    "faulty",
    "judge",
    "list",
    "qemu",
    "record",
    "report",
    "score",
    "selftest",
    "verify",
    "watch",
)

BAD_INPUT = 2
"""Exit status where what was given is of no use."""
