# SPDX-License-Identifier: GPL-2.0-or-later
"""How many examples a property test tries: as many as it says, or the share of them that the profile in force has."""

from typing import Any

from hypothesis import settings

FULL = 100
"""What the full profile has: others have a percentage."""


def share_of(count: int) -> int:
    """How many of `count` examples are tried."""
    return count * settings().max_examples // FULL


def examples(count: int, **more: Any) -> settings:
    """The settings of a test that tries `count` examples when all are tried."""
    return settings(deadline=None, max_examples=share_of(count), **more)
