/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The orders on the kernel command line: see "Orders" in images/README.md. */
#ifndef ORDERS_H
#define ORDERS_H

#include <stdint.h>

#define NO_START UINT64_MAX

enum pattern { PATTERN_SEQUENTIAL, PATTERN_RANDOM, PATTERN_IDLE, PATTERN_HOT_COLD, PATTERNS };

struct orders {
    enum pattern pattern;
    uint64_t region_start; /* where this program sees it; NO_START until there is a place */
    uint64_t region_bytes;
    uint64_t granule_bytes;
    uint64_t rate_pages_per_s; /* 0: as fast as it can */
    uint64_t seed;
    int hugepages; /* Linux: of its hugepages */
    int fill;      /* write the first sweep as fast as it can */
    int flush;     /* flush the TLB at each page */
    uint64_t hot_percent, share_percent;
    uint64_t burst_write_ms, burst_rest_ms; /* 0: without a rest */
    uint64_t vcpus;                         /* that dirty, each its share of the region at its share of the rate */
};

extern const char *const pattern_names[];

/* One `key=value` of the command line. */
struct order {
    const char *text, *value;
    unsigned length, key_length, value_length;
};

/* Where the share of a vCPU begins, of something that all of them have `whole`. */
static inline uint64_t share_begin(uint64_t whole, unsigned vcpu, uint64_t vcpus)
{
    return whole / vcpus * vcpu + whole % vcpus * vcpu / vcpus;
}

/* Reads the orders and places the region; if they cannot be carried out, queues the error line and returns 0. */
int orders_read(const char *command_line, struct orders *orders);

/* For the platform's own order: whether it has this key, and its value; what is refused is said and gives 0. */
int order_is(const struct order *order, const char *key);
int read_size(const struct order *order, uint64_t *bytes);
int read_flag(const struct order *order, int *flag);

/* Whether the region can be anywhere at all; if not, queues the error line. */
int check_region(const struct orders *orders);

/* Queues "migdowntime: error: region=<bytes>@<start> granule=<bytes>, expected ". */
void refuse_region(const struct orders *orders);

#endif
