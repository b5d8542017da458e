# SPDX-License-Identifier: GPL-2.0-or-later
"""Passes that end right beside the downtime-limit, so that it shows where QEMU really ends them.

QEMU looks once a window of 100 ms whether what is left fits the limit. Passes that are all alike end all at the same
distance from it, anywhere within that window. So each gets a max-bandwidth of its own, some percent away from the usual
one: at the first a look finds a little less left than the limit allows, at the second a little more.
"""

from ..basics.qemu_constants import BUFFER_DELAY_MS
from ..parameters.bandwidth import HEADER_BYTES
from ..parameters.table import Parameters
from ..trace.ram import Ram
from ..trace.samples import Sample

_BESIDE_MS, _BESIDE = 3.0, 0.02
"""A look is aimed so many milliseconds beside the limit, or such a share of it: what a window's length varies by."""
_LOOKS_FROM_MS, _LOOKS_TO_MS = BUFFER_DELAY_MS, 10 * BUFFER_DELAY_MS
"""Limits for which it is worth it: below, any pass ends with less than a window's; above, a window is little."""
_TARGET_PAGE_BYTES = 4096
"""Pages of the host that are no larger are sent one by one."""
_WINDOW_MS = 1.003 * BUFFER_DELAY_MS
"""As it is in the mean: QEMU's clock counts whole milliseconds."""


class AimedPasses:
    """The passes that are aimed: `count` of them, from the first that is judged on.

    Called with each sample it says whether one has begun; `bytes_per_ms` is what that one is to have.
    """

    def __init__(self, parameters: Parameters, host_page_bytes: int) -> None:
        limit_ms = parameters.downtime_limit
        beside_ms = max(_BESIDE_MS, _BESIDE * limit_ms)
        self.bytes_per_ms = parameters.bytes_per_s / 1000
        self._looks_ms: list[float] = []
        self._last: Ram | None = None
        self._aimed = 1
        # On hugepages QEMU looks between two of them, wherever a window ends.
        if _LOOKS_FROM_MS <= limit_ms < _LOOKS_TO_MS and host_page_bytes <= _TARGET_PAGE_BYTES:
            self._looks_ms = [limit_ms - beside_ms, limit_ms + beside_ms]
        self.count = len(self._looks_ms)

    def __call__(self, sample: Sample) -> bool:
        last, ram = self._last, sample.ram
        self._last = ram
        if not self._looks_ms or sample.status != "active" or ram is None or ram.dirty_sync_count <= self._aimed:
            return False
        # As long as QEMU sends nobody knows what it will have left in the window.
        if last is None or (ram.dirty_sync_count, ram.sent_pages) != (last.dirty_sync_count, last.sent_pages):
            return False
        self._aimed = ram.dirty_sync_count
        self.bytes_per_ms = _bytes_per_ms(ram, self._looks_ms.pop(0), self.bytes_per_ms)
        return True


def _bytes_per_ms(ram: Ram, look_ms: float, usual: float) -> float:
    """The bandwidth next to the `usual` one at which a look finds so many milliseconds of it left.

    QEMU ends a window with the page that passes its limit.
    """
    on_the_wire = ram.page_bytes + HEADER_BYTES
    windows = max(1, round((ram.remaining_bytes / usual - look_ms) / BUFFER_DELAY_MS))
    pages = round(ram.remaining_bytes / (windows * ram.page_bytes + look_ms * on_the_wire / _WINDOW_MS))
    return (pages - 0.5) * on_the_wire / BUFFER_DELAY_MS
