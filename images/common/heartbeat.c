/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heartbeat.h"

#include "console.h"
#include "platform.h"
#include "telemetry.h"

#define NAPS_PER_S 500
#define WAKES_PER_S 500
/* A pause of the whole guest is given up once; giving up this often, and this part of the time, is being too slow. */
#define LAGS 2
#define LAG_PARTS_PER_S 20

/* As things stood at the last progress line. */
static struct {
    uint64_t ticks, pages_written, lag_ticks[MOST_VCPUS], lag_count[MOST_VCPUS];
} last;

static uint64_t pages_written(void)
{
    uint64_t pages = 0;

    for (unsigned vcpu = 0; vcpu < telemetry.vcpus; vcpu++)
        pages += progress_of(vcpu)->pages_written;
    return pages;
}

static void swept_line(void)
{
    static int said;

    if (said || telemetry.state != STATE_RUNNING || !all_swept())
        return;
    said = 1;
    console_text("migdowntime: swept\n");
}

static void progress_line(void)
{
    console_text("migdowntime: pages=");
    console_decimal(pages_written());
    console_text(" sweep=");
    console_decimal(telemetry.first.sweep);
    console_text("\n");
}

static int is_lagging(unsigned vcpu)
{
    volatile struct progress *progress = progress_of(vcpu);

    return progress->lag_count - last.lag_count[vcpu] >= LAGS
           && progress->lag_ticks - last.lag_ticks[vcpu] >= telemetry.clock_hz / LAG_PARTS_PER_S;
}

static void lagging_line(uint64_t now)
{
    static int said;
    int lagging = 0;

    for (unsigned vcpu = 0; vcpu < telemetry.vcpus; vcpu++)
        lagging |= is_lagging(vcpu);
    if (said || !lagging)
        return;
    said = 1;
    console_text("migdowntime: lagging rate=");
    console_decimal(telemetry.rate_pages_per_s);
    console_text(" pages=");
    console_decimal(pages_written() - last.pages_written);
    console_text(" in ");
    console_decimal((now - last.ticks) * 1000 / telemetry.clock_hz);
    console_text(" ms\n");
}

static void remember(uint64_t now)
{
    last.ticks = now;
    last.pages_written = pages_written();
    for (unsigned vcpu = 0; vcpu < telemetry.vcpus; vcpu++) {
        last.lag_ticks[vcpu] = progress_of(vcpu)->lag_ticks;
        last.lag_count[vcpu] = progress_of(vcpu)->lag_count;
    }
}

/* They look then whether something is due. */
static void wake_others(uint64_t now)
{
    static uint64_t woken_ticks;

    if (telemetry.vcpus < 2 || now - woken_ticks < telemetry.clock_hz / WAKES_PER_S)
        return;
    woken_ticks = now;
    platform_vcpus()->wake();
}

void heartbeat_start(void)
{
    remember(arch_clock());
}

uint64_t heartbeat(void)
{
    uint64_t now = arch_clock();

    if (telemetry.flush)
        arch_flush_tlb();
    telemetry.heartbeat_ticks = now;
    telemetry.heartbeat_count++;
    wake_others(now);
    swept_line();
    if (now - last.ticks >= telemetry.clock_hz && telemetry.state == STATE_RUNNING) {
        progress_line();
        lagging_line(now);
        remember(now);
    }
    console_drain();
    return now;
}

uint64_t nap(unsigned vcpu)
{
    if (vcpu) {
        platform_vcpus()->rest();
        return arch_clock();
    }
    if (console_empty())
        arch_sleep(telemetry.clock_hz / NAPS_PER_S);
    return heartbeat();
}
