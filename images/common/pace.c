/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pace.h"

#include "heartbeat.h"
#include "page.h"
#include "platform.h"

#define CATCH_UPS_PER_S 10 /* what may be caught up after a pause: 100 ms worth */
#define MS_PER_S 1000

void pace_start(struct pace *pace, const struct orders *orders, unsigned vcpu)
{
    uint64_t granule_ticks = orders->granule_bytes / PAGE_BYTES * telemetry.clock_hz;
    uint64_t rate = orders->rate_pages_per_s;

    /* Field by field: for a whole structure the compiler would call memset(). */
    pace->vcpu = vcpu;
    pace->progress = progress_of(vcpu);
    pace->due_ticks = arch_clock();
    pace->fraction = 0;
    pace->rate_pages_per_s = share_begin(rate, vcpu + 1, orders->vcpus) - share_begin(rate, vcpu, orders->vcpus);
    pace->write_ticks = orders->burst_write_ms * telemetry.clock_hz / MS_PER_S;
    pace->rest_ticks = orders->burst_rest_ms * telemetry.clock_hz / MS_PER_S;
    pace->rest_from_ticks = pace->due_ticks + pace->write_ticks;
    pace->progress->paced_pages = pace->progress->pages_written;
    pace->progress->paced_ticks = pace->due_ticks;
    if (!rate)
        return;
    pace->interval_ticks = granule_ticks / pace->rate_pages_per_s;
    pace->interval_fraction = granule_ticks % pace->rate_pages_per_s;
}

/* What would be due while a burst rests is due at its end. */
static void rest_between_bursts(struct pace *pace)
{
    while (pace->write_ticks && (int64_t)(pace->due_ticks - pace->rest_from_ticks) >= 0) {
        uint64_t rest_to_ticks = pace->rest_from_ticks + pace->rest_ticks;

        if ((int64_t)(pace->due_ticks - rest_to_ticks) < 0)
            pace->due_ticks = rest_to_ticks;
        pace->rest_from_ticks = rest_to_ticks + pace->write_ticks;
    }
}

void pace_wait(struct pace *pace)
{
    uint64_t catch_up_ticks = telemetry.clock_hz / CATCH_UPS_PER_S;
    uint64_t now, late;

    if (!pace->rate_pages_per_s && !pace->write_ticks)
        return;
    now = arch_clock();
    if (!pace->rate_pages_per_s)
        pace->due_ticks = now;
    rest_between_bursts(pace);
    while ((int64_t)(now - pace->due_ticks) < 0)
        now = nap(pace->vcpu);
    if (!pace->rate_pages_per_s)
        return;
    late = now - pace->due_ticks;
    if (late > catch_up_ticks) {
        pace->progress->lag_ticks += late - catch_up_ticks;
        pace->progress->lag_count++;
        pace->due_ticks = now - catch_up_ticks;
    }
    pace->due_ticks += pace->interval_ticks;
    pace->fraction += pace->interval_fraction;
    if (pace->fraction >= pace->rate_pages_per_s) {
        pace->fraction -= pace->rate_pages_per_s;
        pace->due_ticks++;
    }
}
