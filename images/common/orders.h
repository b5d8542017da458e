/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The orders on the kernel command line: see "Orders" in images/README.md. */
#ifndef ORDERS_H
#define ORDERS_H

#include "machine.h"

enum pattern { PATTERN_SEQUENTIAL, PATTERN_RANDOM, PATTERN_IDLE, PATTERN_HOT_COLD, PATTERNS };

struct orders {
    enum pattern pattern;
    uint64_t region_start;
    uint64_t region_bytes;
    uint64_t granule_bytes;
    uint64_t rate_pages_per_s; /* 0: as fast as it can */
    uint64_t seed;
    int fill;  /* write the first sweep as fast as it can */
    int flush; /* flush the TLB before each page */
    uint64_t hot_percent, share_percent;
    uint64_t burst_write_ms, burst_rest_ms; /* 0: without a rest */
};

extern const char *const pattern_names[];

/* Reads the orders; if they cannot be carried out, queues the error line and returns 0. */
int orders_read(const struct machine *machine, struct orders *orders);

#endif
