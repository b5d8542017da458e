# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes simulated migrations of any length as files."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from avocado_migdowntime.trace.file import TraceWriter
from selftests.support.simulate import Simulation

PERIOD_MS = 14
LONG_PASSES = (9_000, 15_000)
"""Pages that each sync finds, the last number repeated: passes of 5 s, with 365 samples each."""
SHORT_PASSES = (9_000, 4_100)
"""The same for passes of 1.4 s: 70 samples at one every 20 ms."""
HEADER = {"qemu": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "migrate-parameters": {"downtime-limit": 1}}


def write(
    path: Path,
    duration_ms: int,
    period_ms: int = PERIOD_MS,
    pass_pages: Sequence[int] = LONG_PASSES,
    noise: float = 0.05,
) -> int:
    """Write a simulated migration of that length; return the number of samples.

    `noise` is the variation of the bandwidth; each file has its own course.
    """
    wanted = range(period_ms, duration_ms, period_ms)
    simulation = Simulation(list(pass_pages), noise=noise, duration_ms=duration_ms)
    samples = 0
    with closing(TraceWriter(path, HEADER)) as writer:
        for at_ms, answer in simulation.run(wanted):
            writer.sample(at_ms / 1000, 0.5, answer)
            samples += 1
    return samples
