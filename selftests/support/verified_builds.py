# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds that `verify` is tried on, and settings with which it takes a short time."""

import shutil

BINARY = shutil.which("qemu-system-ppc64")
SHORT = "[migdowntime]\naccel = tcg\npage_size = 4K\npasses = 1\nintegrity = no\n"
"""Settings with which a run takes two seconds less."""


def settle(home):
    """Write these settings of the user whose home it is."""
    settings = home / ".config" / "avocado" / "avocado.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(SHORT)
