# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a migration converge under the downtime-limit that is chosen from the expected downtime, and not under less?"""

from typing import ClassVar

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.experiments.convergence import DEFAULTS, convergence


class Convergence(MigrationTest):
    """Tries the default limit, half of what is needed, and a little more than what is needed.

    :avocado: tags=quick
    """

    defaults: ClassVar = DEFAULTS

    def test(self) -> None:
        """Migrate the guest as the parameters say."""
        self.judge(convergence)
