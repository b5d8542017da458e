# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the expected-downtime right that QEMU reports for a guest that dirties memory?"""

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.experiments.expected_downtime import expected_downtime


class ExpectedDowntime(MigrationTest):
    """Compares each report with the bytes that were left at the dirty sync.

    :avocado: tags=quick
    """

    def test(self) -> None:
        """Migrate the guest as the parameters say."""
        self.judge(expected_downtime)
