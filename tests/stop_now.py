# SPDX-License-Identifier: GPL-2.0-or-later
"""How long is a guest really down that is stopped now, and which formula had said so?"""

from typing import ClassVar

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.experiments.stop_now import DEFAULTS, stop_now


class StopNow(MigrationTest):
    """Stops the guest in mid-pass, times what is still to be sent, and scores each estimator by it."""

    defaults: ClassVar = DEFAULTS

    def test(self) -> None:
        """Migrate the guest as the parameters say."""
        self.judge(stop_now)
