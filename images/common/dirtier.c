/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's main loop: sweep over the region, keep to the rate, keep the telemetry page up to date. */
#include "console.h"
#include "machine.h"
#include "orders.h"
#include "page.h"
#include "telemetry.h"
#include "walk.h"

#define PAGES_PER_BEAT 16
#define NAPS_PER_S 500
#define BURSTS_PER_S 10 /* what may be caught up after a pause: 100 ms worth */

static uint64_t nap_ticks, burst_ticks;
static uint64_t last_line_ticks;

static void progress_line(void)
{
    console_text("migdowntime: pages=");
    console_decimal(telemetry.pages_written);
    console_text(" sweep=");
    console_decimal(telemetry.sweep);
    console_text("\n");
}

static uint64_t beat(void)
{
    uint64_t now = arch_clock();

    telemetry.heartbeat_ticks = now;
    telemetry.heartbeat_count++;
    if (now - last_line_ticks >= telemetry.clock_hz && telemetry.state == STATE_RUNNING) {
        last_line_ticks = now;
        progress_line();
    }
    console_drain();
    return now;
}

static uint64_t nap(void)
{
    if (console_empty())
        arch_sleep(nap_ticks);
    return beat();
}

/* When the next granule may be written: exact, for the fraction of a tick is carried along. */
struct pace {
    uint64_t due_ticks, interval_ticks;
    uint64_t fraction, interval_fraction, rate_pages_per_s;
};

static void pace_start(struct pace *pace, const struct orders *orders)
{
    uint64_t granule_ticks = orders->granule_bytes / PAGE_BYTES * telemetry.clock_hz;

    *pace = (struct pace){ .rate_pages_per_s = orders->rate_pages_per_s };
    if (!orders->rate_pages_per_s)
        return;
    pace->due_ticks = arch_clock();
    pace->interval_ticks = granule_ticks / orders->rate_pages_per_s;
    pace->interval_fraction = granule_ticks % orders->rate_pages_per_s;
}

static void pace_wait(struct pace *pace)
{
    uint64_t now, late;

    if (!pace->rate_pages_per_s)
        return;
    now = arch_clock();
    while ((int64_t)(now - pace->due_ticks) < 0)
        now = nap();
    late = now - pace->due_ticks;
    if (late > burst_ticks) {
        telemetry.lag_ticks += late - burst_ticks;
        telemetry.lag_count++;
        pace->due_ticks = now - burst_ticks;
    }
    pace->due_ticks += pace->interval_ticks;
    pace->fraction += pace->interval_fraction;
    if (pace->fraction >= pace->rate_pages_per_s) {
        pace->fraction -= pace->rate_pages_per_s;
        pace->due_ticks++;
    }
}

static void granule_write(const struct orders *orders, uint64_t granule)
{
    uint64_t pages = orders->granule_bytes / PAGE_BYTES;
    uint64_t index = granule * pages;

    for (uint64_t end = index + pages; index < end; index++) {
        page_write(orders->region_start + index * PAGE_BYTES, index, telemetry.sweep, orders->seed);
        if (!telemetry.pages_written++) {
            telemetry.first_page_ticks = arch_clock();
            console_text("migdowntime: dirtying\n");
        }
        if (telemetry.pages_written % PAGES_PER_BEAT == 0)
            beat();
    }
}

static void sweep(const struct orders *orders, struct pace *pace)
{
    uint64_t granules = orders->region_bytes / orders->granule_bytes;
    struct walk walk;

    telemetry.sweep++;
    walk_start(&walk, granules, orders->pattern == PATTERN_RANDOM, orders->seed, telemetry.sweep);
    for (uint64_t i = 0; i < granules; i++) {
        pace_wait(pace);
        granule_write(orders, walk_next(&walk));
    }
    if (telemetry.sweep == 1) {
        telemetry.first_sweep_ticks = arch_clock();
        console_text("migdowntime: swept\n");
    }
}

static void telemetry_start(const struct machine *machine)
{
    volatile uint64_t *word = (volatile uint64_t *)&telemetry;

    for (unsigned i = 0; i < PAGE_BYTES / sizeof(*word); i++)
        word[i] = 0; /* a reset does not clear RAM */
    telemetry.version = TELEMETRY_VERSION;
    telemetry.header_bytes = sizeof(telemetry);
    telemetry.clock_hz = machine->clock_hz;
    telemetry.boot_ticks = arch_clock();
    telemetry.magic = TELEMETRY_MAGIC;
}

static void telemetry_orders(const struct orders *orders)
{
    telemetry.region_start = orders->region_start;
    telemetry.region_bytes = orders->region_bytes;
    telemetry.granule_bytes = orders->granule_bytes;
    telemetry.rate_pages_per_s = orders->rate_pages_per_s;
    telemetry.pattern = orders->pattern;
    telemetry.seed = orders->seed;
}

static void ready_line(const struct orders *orders)
{
    console_text("migdowntime: ready arch=");
    console_text(arch_name);
    console_text(" pattern=");
    console_text(pattern_names[orders->pattern]);
    console_text(" region=");
    console_decimal(orders->region_bytes);
    console_text("@");
    console_hex(orders->region_start);
    console_text(" granule=");
    console_decimal(orders->granule_bytes);
    console_text(" rate=");
    console_decimal(orders->rate_pages_per_s);
    console_text(" telemetry=");
    console_hex((uint64_t)&telemetry);
    console_text("\n");
}

_Noreturn static void park(enum telemetry_state state)
{
    telemetry.state = state;
    for (;;)
        nap();
}

_Noreturn void dirtier(const struct machine *machine)
{
    struct orders orders;
    struct pace pace;

    telemetry_start(machine);
    last_line_ticks = telemetry.boot_ticks;
    nap_ticks = machine->clock_hz / NAPS_PER_S;
    burst_ticks = machine->clock_hz / BURSTS_PER_S;
    if (!orders_read(machine, &orders))
        park(STATE_ERROR);
    telemetry_orders(&orders);
    ready_line(&orders);
    telemetry.state = STATE_RUNNING;
    pace_start(&pace, &orders);
    do
        sweep(&orders, &pace);
    while (orders.pattern != PATTERN_IDLE);
    park(STATE_RUNNING);
}
