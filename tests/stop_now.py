# SPDX-License-Identifier: GPL-2.0-or-later
"""If the guest is stopped in mid-pass, how long is it down, and which formula predicts that?"""

from typing import ClassVar

from avocado_migdowntime.avocado_test import MigrationTest
from avocado_migdowntime.experiments.stop_now import DEFAULTS, stop_now


class StopNow(MigrationTest):
    """Stops the guest in mid-pass, measures its downtime, and scores each estimator by it."""

    defaults: ClassVar = DEFAULTS

    def test(self) -> None:
        """Migrate the guest as the parameters say."""
        self.judge(stop_now)
