# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress of a migration, for somebody who waits."""

import time
from collections.abc import Callable

from ..basics.qemu_constants import BYTES_PER_MS_PER_MBPS
from ..basics.units import rate_in_words
from ..trace.sample import Sample


class Stage:
    """The state of the run, printed at most once a second."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.last = "starting"
        self._tell = tell
        self._told_s = float("-inf")

    def say(self, text: str) -> None:
        """Print the next step."""
        self.last = text
        self._tell(text)

    def sample(self, sample: Sample) -> None:
        """Print the progress of the migration."""
        now_s = time.monotonic()
        if sample.ram is None or now_s < self._told_s + 1:
            return
        self._told_s = now_s
        ram, reported_ms = sample.ram, sample.expected_downtime_ms
        number = f"pass {ram.dirty_sync_count}: " if ram.dirty_sync_count else ""
        report = "" if reported_ms is None else f", expected-downtime {reported_ms:.10g} ms"
        pace = f" at {rate_in_words(ram.mbps * BYTES_PER_MS_PER_MBPS)}" if ram.mbps else ""
        self.say(f"{number}{ram.remaining_bytes / 1e6:.1f} MB remaining{pace}{report}")
