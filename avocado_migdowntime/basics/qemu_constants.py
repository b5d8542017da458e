# SPDX-License-Identifier: GPL-2.0-or-later
"""Constants that are compiled into QEMU, each with its place in QEMU's source."""

BUFFER_DELAY_MS = 100.0
"""The window of the rate limit, after which bandwidth and expected-downtime are renewed.

QEMU: BUFFER_DELAY, in migration/migration.c, since 8.1 in migration/migration-stats.h.
"""
MAX_WAIT_MS = 50.0
"""A round of sending RAM lasts no longer where the rate limit does not end it. QEMU: migration/ram.c, MAX_WAIT."""
HOST_PAGES_A_LOOK = 64
"""Host pages that go out between two looks at the clock. QEMU: migration/ram.c, ram_save_iterate."""

DEFAULT_DOWNTIME_LIMIT_MS = 300
"""QEMU: DEFAULT_MIGRATE_SET_DOWNTIME, in migration/migration.c, since 8.1 in migration/options.c."""
DEFAULT_MAX_BANDWIDTH = 128 << 20
"""Bytes per second. QEMU: MAX_THROTTLE, in migration/migration.c, since 8.1 in migration/options.c; since 3.0."""
GREATEST_DOWNTIME_LIMIT_MS = 2_000_000
"""No larger downtime-limit can be set.

QEMU: MAX_MIGRATE_DOWNTIME, in migration/migration.c, since 8.1 in migration/options.c.
"""
DEFAULT_THROTTLE_INCREMENT = 10
"""Percent. QEMU: DEFAULT_MIGRATE_CPU_THROTTLE_INCREMENT, in migration/migration.c, since 8.1 in migration/options.c."""

BYTES_PER_MS_PER_MBPS = 125
"""`mbps` is decimal megabits per second: one is 125 bytes per millisecond.

QEMU: migration/migration.c, migration_update_counters.
"""
LEAST_WINDOW_BYTES = 10_000
"""After a window in which no more was sent expected-downtime stays as it is.

QEMU up to 11.0: migration/migration.c, migration_update_counters.
"""
MULTIFD_PACKET_BYTES = 512 * 1024
"""A channel of multifd is given so many bytes of pages at once. QEMU: migration/multifd.h, MULTIFD_PACKET_SIZE."""
DEFAULT_MULTIFD_CHANNELS = 2
"""QEMU: DEFAULT_MIGRATE_MULTIFD_CHANNELS, in migration/migration.c, since 8.1 in migration/options.c."""
