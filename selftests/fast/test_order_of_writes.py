# SPDX-License-Identifier: GPL-2.0-or-later
"""The order in which the guest writes."""

from __future__ import annotations

import itertools

from ..support.dirtier_guest import random_walk


def test_random_walks_differ_between_seeds_and_sweeps() -> None:
    walks = [random_walk(1024, seed, epoch) for seed, epoch in itertools.product((1, 2), (1, 2))]
    assert all(a != b for a, b in itertools.combinations(walks, 2))
