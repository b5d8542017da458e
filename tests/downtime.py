# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the guest down for as long as QEMU had said, on a link that is really that slow?"""

from typing import ClassVar

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.experiments.downtime import DEFAULTS, downtime


class Downtime(MigrationTest):
    """Chooses the limit from the expected downtime, and holds the real one against what was said last.

    :avocado: tags=root
    """

    defaults: ClassVar = DEFAULTS

    def test(self) -> None:
        """Migrate the guest as the parameters say, first idle."""
        self.judge(downtime)
