# SPDX-License-Identifier: GPL-2.0-or-later
"""Constants compiled into QEMU, each with its place in QEMU's source."""

BUFFER_DELAY_MS = 100.0
"""The window of the rate limit, after which QEMU updates bandwidth and expected-downtime.

QEMU: BUFFER_DELAY, in migration/migration.c, since 8.1 in migration/migration-stats.h.
"""
MAX_WAIT_MS = 50.0
"""The longest round of sending RAM, if the rate limit does not end it. QEMU: migration/ram.c, MAX_WAIT."""
HOST_PAGES_A_LOOK = 64
"""Host pages sent between two checks of the clock. QEMU: migration/ram.c, ram_save_iterate."""

DEFAULT_DOWNTIME_LIMIT_MS = 300
"""QEMU: DEFAULT_MIGRATE_SET_DOWNTIME, in migration/migration.c, since 8.1 in migration/options.c."""
DEFAULT_MAX_BANDWIDTH = 128 << 20
"""Bytes per second. QEMU: MAX_THROTTLE, in migration/migration.c, since 8.1 in migration/options.c; since 3.0."""
GREATEST_DOWNTIME_LIMIT_MS = 2_000_000
"""The largest downtime-limit that can be set.

QEMU: MAX_MIGRATE_DOWNTIME, in migration/migration.c, since 8.1 in migration/options.c.
"""
DEFAULT_THROTTLE_INCREMENT = 10
"""Percent. QEMU: DEFAULT_MIGRATE_CPU_THROTTLE_INCREMENT, in migration/migration.c, since 8.1 in migration/options.c."""

NO_PRECOPY = {
    "background-snapshot": (
        "sends a snapshot of the guest's memory, not what the guest writes later; there is no precopy to judge"
    ),
    "x-colo": "replicates the guest continuously and never completes",
}
"""The capabilities with which no precopy is to be judged, and why. QEMU: qapi/migration.json, MigrationCapability."""
NO_RAM = "QEMU then sends no RAM and predicts nothing"
"""What any `mode` but normal leads to. QEMU: qapi/migration.json, MigMode."""

BYTES_PER_MS_PER_MBPS = 125
"""`mbps` is decimal megabits per second: one is 125 bytes per millisecond.

QEMU: migration/migration.c, migration_update_counters.
"""
GREATEST_MBPS = 5_000_000
"""No migration is as fast as this.

It is three times the fastest Ethernet, 1.6 Tbit/s (IEEE P802.3dj), and five times what a slot of 16 lanes of PCIe 6.0
carries in one direction.
"""
LEAST_WINDOW_BYTES = 10_000
"""If a window sent no more than this, QEMU leaves expected-downtime unchanged.

QEMU up to 11.0: migration/migration.c, migration_update_counters.
"""
MOST_UNCOUNTED_BYTES = 64 * 4096
"""The most bytes that QEMU 8.2 and later have sent but not yet counted as transferred.

QEMU: migration/qemu-file.c, qemu_fflush, MAX_IOV_SIZE.
"""
MULTIFD_PACKET_BYTES = 512 * 1024
"""The bytes of pages that a multifd channel is given at once. QEMU: migration/multifd.h, MULTIFD_PACKET_SIZE."""
DEFAULT_MULTIFD_CHANNELS = 2
"""QEMU: DEFAULT_MIGRATE_MULTIFD_CHANNELS, in migration/migration.c, since 8.1 in migration/options.c."""
