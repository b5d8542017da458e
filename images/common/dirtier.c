/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's main loop: sweep over the region, keep to the rate, keep the telemetry page up to date. */
#include "console.h"
#include "heartbeat.h"
#include "orders.h"
#include "pace.h"
#include "page.h"
#include "platform.h"
#include "telemetry.h"
#include "walk.h"

#define PAGES_PER_BEAT 16

static void granule_write(const struct orders *orders, uint64_t granule)
{
    uint64_t pages = orders->granule_bytes / PAGE_BYTES;
    uint64_t index = granule * pages;

    for (uint64_t end = index + pages; index < end; index++) {
        page_write(orders->region_start + index * PAGE_BYTES, index, telemetry.sweep, orders->seed);
        /* Between two pages, and right before the count: each is written much more often than there is a dirty sync. */
        if (orders->flush)
            arch_flush_tlb();
        if (!telemetry.pages_written++) {
            telemetry.first_page_ticks = arch_clock();
            console_text("migdowntime: dirtying\n");
        }
        if (telemetry.pages_written % PAGES_PER_BEAT == 0)
            heartbeat();
    }
}

/* Each page is there after the first sweep, whatever the pattern. */
static enum walk_kind kind_of_sweep(const struct orders *orders)
{
    if (orders->pattern == PATTERN_RANDOM)
        return WALK_RANDOM;
    return orders->pattern == PATTERN_HOT_COLD && telemetry.sweep > 1 ? WALK_HOT_COLD : WALK_SEQUENTIAL;
}

/* Without a pace as fast as it can. */
static void sweep(const struct orders *orders, struct pace *pace)
{
    uint64_t granules = orders->region_bytes / orders->granule_bytes;
    struct walk walk;

    telemetry.sweep++;
    walk_start(&walk, kind_of_sweep(orders), granules, orders->seed, telemetry.sweep);
    walk.hot_granules = granules * orders->hot_percent / 100;
    walk.hot_share_percent = orders->share_percent;
    for (uint64_t i = 0; i < granules; i++) {
        if (pace)
            pace_wait(pace);
        granule_write(orders, walk_next(&walk));
    }
    if (telemetry.sweep == 1) {
        telemetry.first_sweep_ticks = arch_clock();
        console_text("migdowntime: swept\n");
    }
}

static void telemetry_start(uint64_t clock_hz)
{
    volatile uint64_t *word = (volatile uint64_t *)&telemetry;

    for (unsigned i = 0; i < PAGE_BYTES / sizeof(*word); i++)
        word[i] = 0; /* a reset does not clear RAM */
    telemetry.version = TELEMETRY_VERSION;
    telemetry.header_bytes = sizeof(telemetry);
    telemetry.clock_hz = clock_hz;
    telemetry.boot_ticks = arch_clock();
    telemetry.magic = TELEMETRY_MAGIC;
}

static void telemetry_orders(const struct orders *orders)
{
    telemetry.region_start = region_physical(orders);
    telemetry.region_bytes = orders->region_bytes;
    telemetry.granule_bytes = orders->granule_bytes;
    telemetry.rate_pages_per_s = orders->rate_pages_per_s;
    telemetry.pattern = orders->pattern;
    telemetry.seed = orders->seed;
    telemetry.hot_percent = orders->hot_percent;
    telemetry.share_percent = orders->share_percent;
    telemetry.burst_write_ms = orders->burst_write_ms;
    telemetry.burst_rest_ms = orders->burst_rest_ms;
    telemetry.flush = orders->flush;
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
    console_hex(region_physical(orders));
    console_text(" granule=");
    console_decimal(orders->granule_bytes);
    console_text(" rate=");
    console_decimal(orders->rate_pages_per_s);
    console_text(" telemetry=");
    console_hex(telemetry_physical());
    console_text("\n");
}

_Noreturn static void park(enum telemetry_state state)
{
    telemetry.state = state;
    for (;;)
        nap();
}

_Noreturn void dirtier(const char *command_line, uint64_t clock_hz)
{
    struct orders orders;
    struct pace pace;

    telemetry_start(clock_hz);
    heartbeat_start();
    if (!orders_read(command_line, &orders))
        park(STATE_ERROR);
    telemetry_orders(&orders);
    ready_line(&orders);
    telemetry.state = STATE_RUNNING;
    if (orders.fill)
        sweep(&orders, 0);
    pace_start(&pace, &orders);
    while (!telemetry.sweep || orders.pattern != PATTERN_IDLE || orders.rate_pages_per_s)
        sweep(&orders, &pace);
    park(STATE_RUNNING);
}
