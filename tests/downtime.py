# SPDX-License-Identifier: GPL-2.0-or-later
"""If the link really is slow, is the guest down for as long as QEMU said?"""

from typing import ClassVar

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.experiments.downtime import DEFAULTS, downtime


class Downtime(MigrationTest):
    """Sets a limit based on the expected downtime, and compares the real downtime with QEMU's last report.

    :avocado: tags=root
    """

    defaults: ClassVar = DEFAULTS

    def test(self) -> None:
        """Migrate the guest as the parameters say, first idle."""
        self.judge(downtime)
