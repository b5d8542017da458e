# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the guest down for as long as QEMU said, if it only writes to each of 23 hugepages of 16 MiB now and then?

If the host tracks dirty memory by hugepages, QEMU sends all 16 MiB again after each write, here over a link of 866.83
Mbit/s: 3562 ms are needed, where QEMU before 3.0 reported 1475. Elsewhere the guest writes to each 4 KiB page, with the
same effect. This case started the project.
"""

from typing import ClassVar

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.experiments.downtime import HUGEPAGE_IDLE, downtime


class HugepageIdle(MigrationTest):
    """The migration never converges at the default limit, and at once at 1.1 times the limit needed.

    :avocado: tags=root
    """

    defaults: ClassVar = HUGEPAGE_IDLE

    def test(self) -> None:
        """Migrate the guest as the parameters say, first without those writes."""
        self.judge(downtime)
