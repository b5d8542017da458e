/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "orders.h"

#include "console.h"
#include "page.h"

#define GIB (1ul << 30)
#define MAX_RATE 1000000000ul
#define MAX_PHASE_MS 3600000ul
#define MAX_SHOWN 60
#define NO_START UINT64_MAX

const char *const pattern_names[] = { "sequential", "random", "idle", "hot-cold" };

/* One `key=value` of the command line. */
struct order {
    const char *text, *value;
    unsigned length, key_length, value_length;
};

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

static int refuse(const struct order *order, const char *expected)
{
    char shown[MAX_SHOWN + 1];
    unsigned i;

    for (i = 0; i < order->length && i < MAX_SHOWN; i++)
        shown[i] = order->text[i] < ' ' || order->text[i] > '~' ? '?' : order->text[i];
    shown[i] = 0;
    console_text("migdowntime: error: ");
    console_text(shown);
    console_text(", expected ");
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

static int read_size(const struct order *order, uint64_t *bytes)
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

static int read_flag(const struct order *order, int *flag)
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

static int read_order(const struct order *order, struct orders *orders)
{
    const char *key = order->text;
    unsigned length = order->key_length;

    if (is(key, length, "pattern"))
        return read_pattern(order, &orders->pattern);
    if (is(key, length, "region"))
        return read_size(order, &orders->region_bytes);
    if (is(key, length, "granule"))
        return read_granule(order, &orders->granule_bytes);
    if (is(key, length, "rate"))
        return read_rate(order, &orders->rate_pages_per_s);
    if (is(key, length, "seed"))
        return read_seed(order, &orders->seed);
    if (is(key, length, "start"))
        return read_size(order, &orders->region_start);
    if (is(key, length, "fill"))
        return read_flag(order, &orders->fill);
    if (is(key, length, "flush"))
        return read_flag(order, &orders->flush);
    if (is(key, length, "hot"))
        return read_percent(order, &orders->hot_percent);
    if (is(key, length, "share"))
        return read_percent(order, &orders->share_percent);
    if (is(key, length, "burst"))
        return read_burst(order, orders);
    return refuse(order, "pattern=, region=, granule=, rate=, seed=, start=, fill=, flush=, hot=, share= or burst=");
}

/* Queues "migdowntime: error: region=<bytes>@<start> granule=<bytes>, expected ". */
static void refuse_region(const struct orders *orders)
{
    console_text("migdowntime: error: region=");
    console_decimal(orders->region_bytes);
    console_text("@");
    console_hex(orders->region_start);
    console_text(" granule=");
    console_decimal(orders->granule_bytes);
    console_text(", expected ");
}

static int check_region(const struct machine *machine, const struct orders *orders)
{
    uint64_t granule_mask = orders->granule_bytes - 1;
    uint64_t available = machine_ram_from(machine, orders->region_start);

    if (!orders->region_bytes || orders->region_bytes & granule_mask) {
        refuse_region(orders);
        console_text("region= with one or more whole granules\n");
        return 0;
    }
    if (orders->region_start & granule_mask || orders->region_start < (uint64_t)region_floor) {
        refuse_region(orders);
        console_text("start= at a multiple of the granule, at or above ");
        console_hex((uint64_t)region_floor);
        console_text("\n");
        return 0;
    }
    if (orders->region_bytes > available) {
        refuse_region(orders);
        console_text("at most the ");
        console_decimal(available);
        console_text(" bytes of RAM from there on\n");
        return 0;
    }
    if (orders->pattern == PATTERN_HOT_COLD
        && orders->region_bytes / orders->granule_bytes * orders->hot_percent < 100) {
        refuse_region(orders);
        console_text("region= with enough granules for hot= to be one of them\n");
        return 0;
    }
    return 1;
}

int orders_read(const struct machine *machine, struct orders *orders)
{
    const char *rest = machine->command_line;
    struct order order;

    *orders = (struct orders){ .granule_bytes = PAGE_BYTES,
                               .region_start = NO_START,
                               .seed = 1,
                               .fill = 1,
                               .hot_percent = 20,
                               .share_percent = 80 };
    while (next_order(&rest, &order))
        if (!read_order(&order, orders))
            return 0;
    if (orders->region_start == NO_START)
        orders->region_start =
            ((uint64_t)region_floor + orders->granule_bytes - 1) & -orders->granule_bytes;
    return check_region(machine, orders);
}
