/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's main loop, of each vCPU: sweep over its share of the region, keep to the rate, tell how far it is. */
#include "console.h"
#include "heartbeat.h"
#include "orders.h"
#include "pace.h"
#include "page.h"
#include "platform.h"
#include "telemetry.h"
#include "walk.h"

#define PAGES_PER_BEAT 16

static struct orders orders;

/* The granules of the region that one vCPU writes. */
struct share {
    unsigned vcpu;
    volatile struct progress *progress;
    uint64_t first_granule, granules;
};

static struct share share_of(unsigned vcpu)
{
    uint64_t granules = orders.region_bytes / orders.granule_bytes;
    struct share share = { .vcpu = vcpu, .progress = progress_of(vcpu) };

    share.first_granule = share_begin(granules, vcpu, orders.vcpus);
    share.granules = share_begin(granules, vcpu + 1, orders.vcpus) - share.first_granule;
    return share;
}

static void granule_write(const struct share *share, uint64_t granule)
{
    volatile struct progress *progress = share->progress;
    uint64_t pages = orders.granule_bytes / PAGE_BYTES;
    uint64_t index = granule * pages;

    for (uint64_t end = index + pages; index < end; index++) {
        page_write(orders.region_start + index * PAGE_BYTES, index, progress->sweep, orders.seed);
        /* Between two pages, and right before the count: each is written much more often than there is a dirty sync. */
        if (orders.flush)
            arch_flush_tlb();
        if (!progress->pages_written++) {
            progress->first_page_ticks = arch_clock();
            if (!share->vcpu)
                console_text("migdowntime: dirtying\n");
        }
        if (!share->vcpu && progress->pages_written % PAGES_PER_BEAT == 0)
            heartbeat();
    }
}

/* Each page is there after the first sweep, whatever the pattern. */
static enum walk_kind kind_of_sweep(uint64_t sweep)
{
    if (orders.pattern == PATTERN_RANDOM)
        return WALK_RANDOM;
    return orders.pattern == PATTERN_HOT_COLD && sweep > 1 ? WALK_HOT_COLD : WALK_SEQUENTIAL;
}

/* Without a pace as fast as it can. */
static void sweep(const struct share *share, struct pace *pace)
{
    volatile struct progress *progress = share->progress;
    struct walk walk;

    progress->sweep++;
    walk_start(&walk, kind_of_sweep(progress->sweep), share->granules, orders.seed, progress->sweep);
    walk.hot_granules = share->granules * orders.hot_percent / 100;
    walk.hot_share_percent = orders.share_percent;
    for (uint64_t i = 0; i < share->granules; i++) {
        if (pace)
            pace_wait(pace);
        granule_write(share, share->first_granule + walk_next(&walk));
    }
    if (progress->sweep == 1) {
        progress->first_sweep_ticks = arch_clock();
        if (!share->vcpu)
            heartbeat();
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
    telemetry.first.boot_ticks = arch_clock();
    telemetry.magic = TELEMETRY_MAGIC;
}

static void telemetry_orders(void)
{
    telemetry.region_start = region_physical(&orders);
    telemetry.region_bytes = orders.region_bytes;
    telemetry.granule_bytes = orders.granule_bytes;
    telemetry.rate_pages_per_s = orders.rate_pages_per_s;
    telemetry.pattern = orders.pattern;
    telemetry.seed = orders.seed;
    telemetry.hot_percent = orders.hot_percent;
    telemetry.share_percent = orders.share_percent;
    telemetry.burst_write_ms = orders.burst_write_ms;
    telemetry.burst_rest_ms = orders.burst_rest_ms;
    telemetry.flush = orders.flush;
    telemetry.vcpus = orders.vcpus;
}

static void ready_line(void)
{
    console_text("migdowntime: ready arch=");
    console_text(arch_name);
    console_text(" pattern=");
    console_text(pattern_names[orders.pattern]);
    console_text(" region=");
    console_decimal(orders.region_bytes);
    console_text("@");
    console_hex(region_physical(&orders));
    console_text(" granule=");
    console_decimal(orders.granule_bytes);
    console_text(" rate=");
    console_decimal(orders.rate_pages_per_s);
    console_text(" telemetry=");
    console_hex(telemetry_physical());
    console_text("\n");
}

_Noreturn static void park(unsigned vcpu)
{
    for (;;)
        nap(vcpu);
}

_Noreturn static void dirty(unsigned vcpu)
{
    struct share share = share_of(vcpu);
    struct pace pace;

    if (orders.fill) {
        sweep(&share, 0);
        while (!all_swept()) /* so that the pace of all begins together */
            nap(vcpu);
    }
    pace_start(&pace, &orders, vcpu);
    while (!share.progress->sweep || orders.pattern != PATTERN_IDLE || orders.rate_pages_per_s)
        sweep(&share, &pace);
    park(vcpu);
}

_Noreturn void vcpu_main(unsigned vcpu)
{
    progress_of(vcpu)->boot_ticks = arch_clock();
    dirty(vcpu);
}

_Noreturn void dirtier(const char *command_line, uint64_t clock_hz)
{
    telemetry_start(clock_hz);
    heartbeat_start();
    if (!orders_read(command_line, &orders)) {
        telemetry.state = STATE_ERROR;
        park(0);
    }
    telemetry_orders();
    ready_line();
    telemetry.state = STATE_RUNNING;
    if (orders.vcpus > 1)
        platform_vcpus()->start(orders.vcpus);
    dirty(0);
}
