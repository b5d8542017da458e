# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a migration converge with a downtime-limit based on the expected downtime, and not with a smaller one?"""

from typing import ClassVar

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.experiments.convergence import DEFAULTS, convergence


class Convergence(MigrationTest):
    """Tries the default limit, half of the limit needed, and a little more than that limit.

    :avocado: tags=quick
    """

    defaults: ClassVar = DEFAULTS

    def test(self) -> None:
        """Migrate the guest as the parameters say."""
        self.judge(convergence)
