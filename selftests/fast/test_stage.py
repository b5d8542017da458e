# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of a migration while it is recorded: what its figures show, and no more."""

import pytest

from avocado_migdowntime.record.stage import Stage
from avocado_migdowntime.trace.ram import Ram
from avocado_migdowntime.trace.sample import Sample


def ram(syncs):
    return Ram(831_111_168, 4096, 0, 0, syncs, 0, 961.6)


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        (Sample(0, 0, "active", 700, ram(3)), ["pass 3: 831.1 MB remaining at 120.2 MB/s, expected-downtime 700 ms"]),
        (Sample(0, 0, "active", 0, ram(1)), ["pass 1: 831.1 MB remaining at 120.2 MB/s, expected-downtime 0 ms"]),
        (Sample(0, 0, "active", None, ram(0)), ["831.1 MB remaining at 120.2 MB/s"]),
        (Sample(0, 0, "active"), []),
    ],
)
def test_only_what_is_known_is_told(sample, told):
    said = []
    Stage(said.append).sample(sample)
    assert said == told
