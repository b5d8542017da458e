# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's own constants, each by the name and the file that it has there."""

BYTES_PER_MS_PER_MBPS = 125
"""QEMU's mbps are decimal megabits per second: one is 125 bytes per millisecond (migration/migration.c)."""
BUFFER_DELAY_MS = 100.0
"""The window of QEMU's rate limit, after which it renews bandwidth and report (migration/migration.c: BUFFER_DELAY)."""
MAX_WAIT_MS = 50.0
"""How long a burst takes where nothing limits the rate (migration/ram.c: MAX_WAIT)."""
LEAST_WINDOW_BYTES = 10_000
"""Up to 11.0 nothing is computed when no more went out in a window (migration/migration.c: migration_update_counters)."""
DEFAULT_DOWNTIME_LIMIT_MS = 300
"""The default downtime-limit (migration/options.c: DEFAULT_MIGRATE_SET_DOWNTIME)."""
GREATEST_DOWNTIME_LIMIT_MS = 2_000_000
"""QEMU takes no larger downtime-limit (migration/options.c: MAX_MIGRATE_DOWNTIME)."""
HOST_PAGES_A_LOOK = 64
"""Host pages that go out between two looks at the clock (migration/ram.c: ram_save_iterate)."""
