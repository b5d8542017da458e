/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults in QEMU's own computation of expected-downtime, mbps, its threshold and max-bandwidth, chosen by the environment
 * variable QEMU_FAULT: a name of `avocado migdowntime faulty --list`, with its value, such as factor=0.9.
 *
 * bench/rebuilt_qemu.py puts this into QEMU's migration/ with AT_SYNC_BYTES, DIRTY_PAGES_PER_S and SYNCS defined as that
 * release spells them, and calls misreport() at the end of each update of the counters. So until the first update, QEMU
 * shows what it began with, whatever the fault is; and of two syncs between updates, the first is not noticed.
 */
#ifndef QEMU_FAULT_H
#define QEMU_FAULT_H

#include "qemu/units.h"

static inline bool has_fault(const char *name)
{
    const char *fault = getenv("QEMU_FAULT");

    return fault && !strcmp(fault, name);
}

static inline double fault_value(const char *name, double otherwise)
{
    const char *fault = getenv("QEMU_FAULT");
    size_t length = strlen(name);

    if (!fault || strncmp(fault, name, length) || fault[length] != '=') {
        return otherwise;
    }
    return g_ascii_strtod(fault + length + 1, NULL);
}

static inline uint64_t kept_max_bandwidth(uint64_t configured)
{
    return has_fault("bandwidth-cap-ignored") ? 128 * MiB : configured;
}

#ifdef AT_SYNC_BYTES
static void misreport(MigrationState *s, uint64_t transferred, double bytes_per_ms)
{
    static int64_t shown_ms = -1;
    static uint64_t syncs, before_bytes, begin_bytes;
    static bool is_due;
    double right_ms = AT_SYNC_BYTES / bytes_per_ms;
    double dirty_bytes_per_ms = (double)DIRTY_PAGES_PER_S * qemu_target_page_size() / 1000;

    if (syncs != SYNCS) {
        syncs = SYNCS;
        before_bytes = begin_bytes;
        begin_bytes = AT_SYNC_BYTES;
        is_due = true;
    }
    s->threshold_size *= fault_value("limit-factor", 1);
    if (has_fault("limit-ignored")) {
        s->threshold_size = bytes_per_ms * 300;
    }
    if (has_fault("mbps-halved")) {
        s->mbps /= 2;
    }
    if (has_fault("zero") || has_fault("uncomputed")) {
        s->expected_downtime = has_fault("zero") ? 0 : s->parameters.downtime_limit;
        return;
    }
    if (transferred <= 10000) {
        return;
    }
    if (has_fault("once-a-pass")) {
        if (is_due && ram_bytes_remaining() < begin_bytes / 3 * 2) {
            shown_ms = DIRTY_PAGES_PER_S ? right_ms : -1;
            is_due = false;
        }
        s->expected_downtime = shown_ms < 0 ? s->parameters.downtime_limit : shown_ms;
        return;
    }
    if (!DIRTY_PAGES_PER_S) {
        return;
    }
    if (has_fault("dirty-rate")) {
        s->expected_downtime = dirty_bytes_per_ms * 1000 / bytes_per_ms;
    } else if (has_fault("redirty")) {
        s->expected_downtime = right_ms * (1 + dirty_bytes_per_ms / bytes_per_ms);
    } else if (has_fault("live")) {
        s->expected_downtime = ram_bytes_remaining() / bytes_per_ms;
    } else if (has_fault("kb")) {
        s->expected_downtime = right_ms * 1000 / 1024;
    } else if (has_fault("mbps-halved")) {
        s->expected_downtime = 2 * right_ms;
    } else if (has_fault("frozen")) {
        shown_ms = shown_ms < 0 ? right_ms : shown_ms;
        s->expected_downtime = shown_ms;
    } else if (has_fault("stale")) {
        s->expected_downtime = before_bytes / bytes_per_ms;
    } else if (fault_value("factor", 0)) {
        s->expected_downtime = right_ms * fault_value("factor", 0);
    }
}
#endif

#endif
