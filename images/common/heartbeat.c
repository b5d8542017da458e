/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heartbeat.h"

#include "console.h"
#include "platform.h"
#include "telemetry.h"

#define NAPS_PER_S 500
/* A pause of the whole guest is given up once; giving up this often, and this part of the time, is being too slow. */
#define LAGS 2
#define LAG_PARTS_PER_S 20

/* As things stood at the last progress line. */
static struct {
    uint64_t ticks, pages_written, lag_ticks, lag_count;
} last;

static void progress_line(void)
{
    console_text("migdowntime: pages=");
    console_decimal(telemetry.pages_written);
    console_text(" sweep=");
    console_decimal(telemetry.sweep);
    console_text("\n");
}

static void lagging_line(uint64_t now)
{
    static int said;

    if (said || telemetry.lag_count - last.lag_count < LAGS
        || telemetry.lag_ticks - last.lag_ticks < telemetry.clock_hz / LAG_PARTS_PER_S)
        return;
    said = 1;
    console_text("migdowntime: lagging rate=");
    console_decimal(telemetry.rate_pages_per_s);
    console_text(" pages=");
    console_decimal(telemetry.pages_written - last.pages_written);
    console_text(" in ");
    console_decimal((now - last.ticks) * 1000 / telemetry.clock_hz);
    console_text(" ms\n");
}

static void remember(uint64_t now)
{
    last.ticks = now;
    last.pages_written = telemetry.pages_written;
    last.lag_ticks = telemetry.lag_ticks;
    last.lag_count = telemetry.lag_count;
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
    if (now - last.ticks >= telemetry.clock_hz && telemetry.state == STATE_RUNNING) {
        progress_line();
        lagging_line(now);
        remember(now);
    }
    console_drain();
    return now;
}

uint64_t nap(void)
{
    if (console_empty())
        arch_sleep(telemetry.clock_hz / NAPS_PER_S);
    return heartbeat();
}
