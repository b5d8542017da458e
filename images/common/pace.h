/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the next granule may be written: see "The rate" in images/README.md. */
#ifndef PACE_H
#define PACE_H

#include "orders.h"
#include "telemetry.h"

struct pace {
    uint64_t due_ticks;
    uint64_t interval_ticks, interval_fraction; /* of a granule; 0 if as fast as it can */
    uint64_t fraction, rate_pages_per_s;        /* exact, for the fraction of a tick is carried along */
    uint64_t write_ticks, rest_ticks;           /* of a burst; write_ticks 0 without */
    uint64_t rest_from_ticks;
    unsigned vcpu;
    volatile struct progress *progress;
};

/* Begins now, with the share of the rate that a vCPU has. */
void pace_start(struct pace *pace, const struct orders *orders, unsigned vcpu);

/* Waits until the next granule is due. */
void pace_wait(struct pace *pace);

#endif
