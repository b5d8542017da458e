# SPDX-License-Identifier: GPL-2.0-or-later
"""The number of examples of a property test: as stated, or the share of them that the current profile allows."""

from typing import Any

from hypothesis import settings

FULL = 100
"""The full profile's value; other profiles have a percentage of it."""


def share_of(count: int) -> int:
    """How many of `count` examples to try."""
    return count * settings().max_examples // FULL


def examples(count: int, **more: Any) -> settings:
    """The settings of a test that tries `count` examples in the full profile."""
    return settings(deadline=None, max_examples=share_of(count), **more)
