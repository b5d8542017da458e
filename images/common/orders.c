/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "orders.h"

#include "console.h"
#include "page.h"
#include "platform.h"
#include "telemetry.h"

#define GIB (1ul << 30)
#define MAX_RATE 1000000000ul
#define MAX_PHASE_MS 3600000ul
#define MAX_SHOWN 60

const char *const pattern_names[] = { "sequential", "random", "idle", "hot-cold" };

static int is(const char *text, unsigned length, const char *word)
{
    while (length && *word && *text == *word)
        text++, word++, length--;
    return !length && !*word;
}

static int next_order(const char **rest, struct order *order)
{
    const char *p = *rest;

    while (*p == ' ')
        p++;
    order->text = p;
    while (*p && *p != ' ' && *p != '=')
        p++;
    order->key_length = p - order->text;
    order->value = *p == '=' ? ++p : p;
    while (*p && *p != ' ')
        p++;
    order->value_length = p - order->value;
    order->length = p - order->text;
    *rest = p;
    return order->length != 0;
}

static void refuse_word(const struct order *order)
{
    char shown[MAX_SHOWN + 1];
    unsigned i;

    for (i = 0; i < order->length && i < MAX_SHOWN; i++)
        shown[i] = order->text[i] < ' ' || order->text[i] > '~' ? '?' : order->text[i];
    shown[i] = 0;
    console_text("migdowntime: error: ");
    console_text(shown);
    console_text(", expected ");
}

static int refuse(const struct order *order, const char *expected)
{
    refuse_word(order);
    console_text(expected);
    console_text("\n");
    return 0;
}

static int read_number(const struct order *order, int suffix_allowed, uint64_t *number)
{
    unsigned length = order->value_length, shift = 0;
    uint64_t value = 0;

    if (suffix_allowed && length)
        switch (order->value[length - 1]) {
        case 'G':
            shift += 10; /* fall through */
        case 'M':
            shift += 10; /* fall through */
        case 'K':
            shift += 10;
            length--;
        }
    if (!length)
        return 0;
    for (unsigned i = 0; i < length; i++) {
        unsigned digit = order->value[i] - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    *number = value << shift;
    return *number >> shift == value;
}

int read_size(const struct order *order, uint64_t *bytes)
{
    return read_number(order, 1, bytes)
           || refuse(order, "a number of bytes such as 268435456, 256M or 1G");
}

static int read_pattern(const struct order *order, enum pattern *pattern)
{
    for (unsigned i = 0; i < PATTERNS; i++)
        if (is(order->value, order->value_length, pattern_names[i])) {
            *pattern = i;
            return 1;
        }
    return refuse(order, "pattern=sequential, pattern=random, pattern=idle or pattern=hot-cold");
}

static int read_granule(const struct order *order, uint64_t *bytes)
{
    if (!read_size(order, bytes))
        return 0;
    return (*bytes >= PAGE_BYTES && *bytes <= GIB && !(*bytes & (*bytes - 1)))
           || refuse(order, "a power of two from 4K to 1G");
}

static int read_rate(const struct order *order, uint64_t *pages_per_s)
{
    return (read_number(order, 0, pages_per_s) && *pages_per_s <= MAX_RATE)
           || refuse(order, "4 KiB pages per second, 0 to 1000000000");
}

static int read_seed(const struct order *order, uint64_t *seed)
{
    return read_number(order, 0, seed) || refuse(order, "a decimal number below 2^64");
}

int read_flag(const struct order *order, int *flag)
{
    *flag = is(order->value, order->value_length, "yes");
    return *flag || is(order->value, order->value_length, "no") || refuse(order, "yes or no");
}

static int read_percent(const struct order *order, uint64_t *percent)
{
    return (read_number(order, 0, percent) && *percent >= 1 && *percent <= 99)
           || refuse(order, "a whole number from 1 to 99, in percent");
}

static int read_burst(const struct order *order, struct orders *orders)
{
    struct order write = *order, rest = *order;
    unsigned slash = 0;

    while (slash < order->value_length && order->value[slash] != '/')
        slash++;
    write.value_length = slash;
    rest.value += slash + 1;
    rest.value_length -= slash + 1;
    return (slash < order->value_length && read_number(&write, 0, &orders->burst_write_ms)
            && read_number(&rest, 0, &orders->burst_rest_ms) && orders->burst_write_ms
            && orders->burst_write_ms <= MAX_PHASE_MS && orders->burst_rest_ms <= MAX_PHASE_MS)
           || refuse(order, "burst=WRITE/REST in ms, such as 200/800, of which WRITE is not 0, each up to 3600000");
}

static uint64_t most_vcpus(void)
{
    unsigned count = platform_vcpus()->count;

    return count < MOST_VCPUS ? count : MOST_VCPUS;
}

static int read_vcpus(const struct order *order, uint64_t *vcpus)
{
    if (read_number(order, 0, vcpus) && *vcpus >= 1 && *vcpus <= most_vcpus())
        return 1;
    refuse_word(order);
    console_text("at least 1 vCPU and at most the ");
    console_decimal(most_vcpus());
    console_text(" that can dirty here\n");
    return 0;
}

int order_is(const struct order *order, const char *key)
{
    return is(order->text, order->key_length, key);
}

static int read_order(const struct order *order, struct orders *orders)
{
    if (order_is(order, "pattern"))
        return read_pattern(order, &orders->pattern);
    if (order_is(order, "region"))
        return read_size(order, &orders->region_bytes);
    if (order_is(order, "granule"))
        return read_granule(order, &orders->granule_bytes);
    if (order_is(order, "rate"))
        return read_rate(order, &orders->rate_pages_per_s);
    if (order_is(order, "seed"))
        return read_seed(order, &orders->seed);
    if (order_is(order, "fill"))
        return read_flag(order, &orders->fill);
    if (order_is(order, "flush"))
        return read_flag(order, &orders->flush);
    if (order_is(order, "hot"))
        return read_percent(order, &orders->hot_percent);
    if (order_is(order, "share"))
        return read_percent(order, &orders->share_percent);
    if (order_is(order, "burst"))
        return read_burst(order, orders);
    if (order_is(order, "vcpus"))
        return read_vcpus(order, &orders->vcpus);
    if (is_place_order(order))
        return read_place_order(order, orders);
    refuse_word(order);
    console_text("pattern=, region=, granule=, rate=, seed=, fill=, flush=, hot=, share=, burst=, vcpus= or ");
    console_text(place_keys);
    console_text("\n");
    return 0;
}

void refuse_region(const struct orders *orders)
{
    console_text("migdowntime: error: region=");
    console_decimal(orders->region_bytes);
    if (orders->region_start != NO_START) {
        console_text("@");
        console_hex(orders->region_start);
    }
    console_text(" granule=");
    console_decimal(orders->granule_bytes);
    console_text(", expected ");
}

int check_region(const struct orders *orders)
{
    uint64_t granules;

    if (!orders->region_bytes || orders->region_bytes & (orders->granule_bytes - 1)) {
        refuse_region(orders);
        console_text("region= with one or more whole granules\n");
        return 0;
    }
    granules = orders->region_bytes / orders->granule_bytes / orders->vcpus;
    if (!granules) {
        refuse_region(orders);
        console_text("region= with a granule for each of vcpus=\n");
        return 0;
    }
    if (orders->pattern == PATTERN_HOT_COLD && granules * orders->hot_percent < 100) {
        refuse_region(orders);
        console_text("region= with enough granules for hot= to be one of them\n");
        return 0;
    }
    return 1;
}

/* A share of 0 would be as fast as it can. */
static int check_rate(const struct orders *orders)
{
    if (!orders->rate_pages_per_s || orders->rate_pages_per_s >= orders->vcpus)
        return 1;
    console_text("migdowntime: error: rate=");
    console_decimal(orders->rate_pages_per_s);
    console_text(", expected 0 or at least a page per second for each of vcpus=\n");
    return 0;
}

int orders_read(const char *command_line, struct orders *orders)
{
    const char *rest = command_line;
    struct order order;

    *orders = (struct orders){ .granule_bytes = PAGE_BYTES,
                               .region_start = NO_START,
                               .seed = 1,
                               .fill = 1,
                               .vcpus = 1,
                               .hot_percent = 20,
                               .share_percent = 80 };
    while (next_order(&rest, &order))
        if (!read_order(&order, orders))
            return 0;
    return check_rate(orders) && place_region(orders);
}
