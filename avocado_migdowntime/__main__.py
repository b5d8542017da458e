# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m avocado_migdowntime COMMAND`: the same as `avocado migdowntime COMMAND`, for hosts without Avocado."""

import argparse
import sys

from .cli import main as subcommands


def main() -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m avocado_migdowntime", allow_abbrev=False)
    subcommands.add_to(parser)
    return subcommands.run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
