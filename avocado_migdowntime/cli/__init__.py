# SPDX-License-Identifier: GPL-2.0-or-later
"""Sub-commands of `avocado migdowntime`: modules with NAME, HELP, configure(parser) and run(arguments) -> status."""

COMMANDS = ("advise", "analyze", "score")
