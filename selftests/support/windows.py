# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's sending windows in continuous time, for the bandwidth: late ones, halts, bursts, and what a query reads."""

import math
import random
from dataclasses import dataclass

from avocado_migdowntime.trace.ram import Ram
from avocado_migdowntime.trace.sample import Sample
from avocado_migdowntime.trace.samples import Samples

PAGE = 4096


@dataclass(frozen=True)
class Sender:
    """A QEMU that sends `bytes_per_ms` in windows, all at once as a window begins, or (`steadily`) throughout.

    A window is late by up to `late_ms`. In a share `halts` of them the host halts QEMU for up to 700 ms, after a part
    of what it sends. The bandwidth may vary by a share `noise` from window to window. What was sent is counted in steps
    of `buffer_bytes`.
    """

    bytes_per_ms: float = 12_000.0
    late_ms: float = 2.0
    halts: float = 0.0
    noise: float = 0.0
    steadily: bool = False
    buffer_bytes: int = 1
    mbps_factor: float = 1.0

    def samples(self, duration_ms: float, spacing_ms: float, latency_ms: float, seed: int) -> Samples:
        """Samples every `spacing_ms` or so, each answer up to `latency_ms` late."""
        dice = random.Random(seed)
        steps, figures = self._course(duration_ms, dice)
        made, at_ms = [], dice.uniform(0, spacing_ms)
        while at_ms < duration_ms:
            lasts_ms = dice.uniform(0.1, max(0.2, latency_ms))
            first_ms, second_ms = sorted((at_ms + dice.uniform(0, lasts_ms), at_ms + dice.uniform(0, lasts_ms)))
            sent = self._at(steps, first_ms) // self.buffer_bytes * self.buffer_bytes
            mbps = next((mbps for moment_ms, mbps in reversed(figures) if moment_ms <= second_ms), 0.0)
            ram = Ram(1 << 30, PAGE, int(sent) // PAGE, 0, 2, 1000, mbps * self.mbps_factor, None, int(sent))
            made.append(Sample(at_ms / 1000, lasts_ms, "active", 1000.0, ram))
            at_ms += max(lasts_ms, spacing_ms * dice.uniform(0.7, 1.3))
        return Samples.of(made)

    def _course(
        self, duration_ms: float, dice: random.Random
    ) -> tuple[list[tuple[float, float, float, float]], list[tuple[float, float]]]:
        """What is sent between which times, with the sums before and after, and each update with its mbps."""
        steps: list[tuple[float, float, float, float]] = []
        figures: list[tuple[float, float]] = []
        begin_ms, total = 0.0, 0.0
        while begin_ms < duration_ms:
            wanted = self.bytes_per_ms * 100 * dice.uniform(1 - self.noise, 1 + self.noise)
            end_ms = begin_ms + 100 + dice.uniform(0, self.late_ms)
            halt_ms = dice.uniform(50, 700) if dice.random() < self.halts else 0.0
            parts = [(begin_ms, begin_ms + (99 if self.steadily else 5), wanted)]
            if halt_ms:
                end_ms += halt_ms
                parts = [(begin_ms, begin_ms + 3, 0.4 * wanted), (end_ms - 5, end_ms - 1, 0.6 * wanted)]
            before = total
            for since_ms, until_ms, size in parts:
                steps.append((since_ms, until_ms, total, total + size))
                total += size
            spent_ms = math.floor(end_ms) - math.floor(begin_ms)
            figures.append((end_ms, (total - before) / spent_ms / 125))
            begin_ms = end_ms
        return steps, figures

    @staticmethod
    def _at(steps: list[tuple[float, float, float, float]], moment_ms: float) -> float:
        for since_ms, until_ms, before, after in reversed(steps):
            if moment_ms >= since_ms:
                return before + (after - before) * min(1.0, (moment_ms - since_ms) / (until_ms - since_ms))
        return 0.0
