# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of figures in the monitor's `info migrate`, mapped to QMP's spelling; for the sources see `monitor_text`."""

from collections.abc import Mapping

MS, KBYTES, PAGES, MBPS = ("ms", "milliseconds"), ("kbytes",), ("pages",), ("mbps",)
LINES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "total time": ("total-time", MS),
    "expected downtime": ("expected-downtime", MS),
    "downtime": ("downtime", MS),
    "setup": ("setup-time", MS),
    "transferred ram": ("ram.transferred", KBYTES),
    "throughput": ("ram.mbps", MBPS),
    "remaining ram": ("ram.remaining", KBYTES),
    "total ram": ("ram.total", KBYTES),
    "duplicate": ("ram.duplicate", PAGES),
    "skipped": ("ram.skipped", PAGES),
    "normal": ("ram.normal", PAGES),
    "normal bytes": ("ram.normal-bytes", KBYTES),
    "dirty sync count": ("ram.dirty-sync-count", ("",)),
    "page size": ("ram.page-size", KBYTES),
    "multifd bytes": ("ram.multifd-bytes", KBYTES),
    "pages-per-second": ("ram.pages-per-second", ("",)),
    "dirty pages rate": ("ram.dirty-pages-rate", PAGES),
    "postcopy request count": ("ram.postcopy-requests", ("",)),
    "precopy ram": ("ram.precopy-bytes", KBYTES),
    "downtime ram": ("ram.downtime-bytes", KBYTES),
    "postcopy ram": ("ram.postcopy-bytes", KBYTES),
    "transferred disk": ("disk.transferred", KBYTES),
    "remaining disk": ("disk.remaining", KBYTES),
    "total disk": ("disk.total", KBYTES),
    "cache size": ("xbzrle-cache.cache-size", ("bytes",)),
    "xbzrle transferred": ("xbzrle-cache.bytes", KBYTES),
    "xbzrle pages": ("xbzrle-cache.pages", PAGES),
    "xbzrle cache miss": ("xbzrle-cache.cache-miss", ("", "pages")),
    "xbzrle cache miss rate": ("xbzrle-cache.cache-miss-rate", ("",)),
    "xbzrle encoding rate": ("xbzrle-cache.encoding-rate", ("",)),
    "xbzrle overflow": ("xbzrle-cache.overflow", ("",)),
    "compression pages": ("compression.pages", PAGES),
    "compression busy": ("compression.busy", ("",)),
    "compression busy rate": ("compression.busy-rate", ("",)),
    "compressed size": ("compression.compressed-size", ("", "kbytes")),
    "compression rate": ("compression.compression-rate", ("",)),
    "cpu throttle percentage": ("cpu-throttle-percentage", ("",)),
    "vfio device transferred": ("vfio.transferred", KBYTES),
}
"""Names of lines, with QMP's spelling and the units that they can have."""
_TRANSFERS = {"transferred": "ram.transferred", "remain": "ram.remaining"}
_CHANNELS = {
    "precopy": "ram.precopy-bytes",
    "multifd": "ram.multifd-bytes",
    "postcopy": "ram.postcopy-bytes",
    "vfio": "vfio.transferred",
}
GROUPS: Mapping[str, Mapping[str, str]] = {
    "time": {"total": "total-time", "setup": "setup-time", "exp_down": "expected-downtime", "down": "downtime"},
    "sizes": {"pagesize": "ram.page-size", "psize": "ram.page-size", "total": "ram.total", **_TRANSFERS, **_CHANNELS},
    "transfers": _TRANSFERS,
    "channels": _CHANNELS,
    "page types": {"normal": "ram.normal", "zero": "ram.duplicate"},
    "pages": {"normal": "ram.normal", "zero": "ram.duplicate", "rate_per_sec": "ram.pages-per-second"},
    "page rates": {
        "transfer": "ram.pages-per-second",
        "dirty": "ram.dirty-pages-rate",
        "transfer_rate": "ram.pages-per-second",
        "dirty_rate": "ram.dirty-pages-rate",
    },
    "others": {
        "dirty_syncs": "ram.dirty-sync-count",
        "dirty_pages_rate": "ram.dirty-pages-rate",
        "postcopy_req": "ram.postcopy-requests",
        "downtime_bytes": "ram.downtime-bytes",
    },
    "xbzrle": {
        "size": "xbzrle-cache.cache-size",
        "transferred": "xbzrle-cache.bytes",
        "pages": "xbzrle-cache.pages",
        "miss": "xbzrle-cache.cache-miss",
    },
}
"""Keys in lines of releases since 10.1, by the label at the start of the line in lower case."""
SIZES = frozenset(GROUPS["sizes"].values())
"""Figures that have a unit, either their own or at the start of the line."""
KIB = ("KiB", "KB")
"""Units at the start of a line whose sizes have none: QEMU truncates them by >> 10."""
GOES_ON: Mapping[str, Mapping[str, str]] = {
    "transferred=": {**_TRANSFERS, **_CHANNELS},
    "precopy=": _CHANNELS,
}
"""How continuation lines of sizes in KB start, and the keys in them."""
XBZRLE_REST = {
    "miss_rate": "xbzrle-cache.cache-miss-rate",
    "encode_rate": "xbzrle-cache.encoding-rate",
    "overflow": "xbzrle-cache.overflow",
}
"""Keys in the second line about xbzrle."""
