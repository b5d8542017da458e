/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The telemetry page: see "Telemetry" in images/README.md. Only append fields; raise the version if one changes. */
#ifndef TELEMETRY_H
#define TELEMETRY_H

#include <stdint.h>

#define TELEMETRY_MAGIC 0x4d4947444f574e54 /* "MIGDOWNT", M in the most significant byte */
#define TELEMETRY_VERSION 4
#define MOST_VCPUS 16

enum telemetry_state { STATE_BOOTING, STATE_RUNNING, STATE_ERROR };

/* How far one vCPU has come. */
struct progress {
    uint64_t pages_written;
    uint64_t sweep;
    uint64_t lag_ticks;
    uint64_t lag_count;
    uint64_t boot_ticks;
    uint64_t first_page_ticks;
    uint64_t first_sweep_ticks;
    uint64_t paced_ticks;
    uint64_t paced_pages;
};

struct telemetry {
    uint64_t magic;
    uint64_t version;
    uint64_t header_bytes;
    uint64_t state;
    uint64_t clock_hz;
    uint64_t heartbeat_ticks;
    uint64_t heartbeat_count;
    uint64_t region_start;
    uint64_t region_bytes;
    uint64_t granule_bytes;
    uint64_t rate_pages_per_s;
    uint64_t pattern;
    uint64_t seed;
    struct progress first;
    uint64_t hot_percent;
    uint64_t share_percent;
    uint64_t burst_write_ms;
    uint64_t burst_rest_ms;
    uint64_t flush;
    uint64_t vcpus;
    struct progress others[MOST_VCPUS - 1]; /* each written by its vCPU alone, as `first` is */
};

/* Placed by the linker script. Volatile: somebody reads it from outside while we run. */
extern volatile struct telemetry telemetry;

static inline volatile struct progress *progress_of(unsigned vcpu)
{
    return vcpu ? &telemetry.others[vcpu - 1] : &telemetry.first;
}

/* Whether each page of the region has been written. */
static inline int all_swept(void)
{
    for (unsigned vcpu = 0; vcpu < telemetry.vcpus; vcpu++)
        if (!progress_of(vcpu)->first_sweep_ticks)
            return 0;
    return 1;
}

#endif
