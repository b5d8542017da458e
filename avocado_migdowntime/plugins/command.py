# SPDX-License-Identifier: GPL-2.0-or-later
"""`avocado migdowntime COMMAND`."""

import argparse
from typing import Any

from avocado.core.plugin_interfaces import CLICmd

from ..cli import main as subcommands


class MigDowntime(CLICmd):
    """The commands that need no Avocado job."""

    name = "migdowntime"
    description = "Judge QEMU's expected downtime"

    def configure(self, parser: Any) -> None:
        command = super().configure(parser)
        subcommands.add_to(command)

    def run(self, config: dict[str, Any]) -> int:
        return subcommands.run(argparse.Namespace(**config))
