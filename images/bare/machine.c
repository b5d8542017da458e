/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"

#include "../common/console.h"
#include "../common/telemetry.h"

extern char region_floor[];

const char place_keys[] = "start=";

static const struct machine *this_machine;

void machine_add_ram(struct machine *machine, uint64_t start, uint64_t bytes)
{
    if (bytes && machine->ram_ranges < MAX_RAM_RANGES)
        machine->ram[machine->ram_ranges++] = (struct ram_range){ start, bytes };
}

/* How many bytes of RAM follow `start` without a hole. */
static uint64_t ram_from(const struct machine *machine, uint64_t start)
{
    uint64_t end = start;

    /* Each round can add one more range to the run, whatever their order. */
    for (unsigned round = 0; round < machine->ram_ranges; round++)
        for (unsigned i = 0; i < machine->ram_ranges; i++) {
            const struct ram_range *range = &machine->ram[i];

            if (end >= range->start && end - range->start < range->bytes)
                end = range->start + range->bytes;
        }
    return end - start;
}

int is_place_order(const struct order *order)
{
    return order_is(order, "start");
}

int read_place_order(const struct order *order, struct orders *orders)
{
    return read_size(order, &orders->region_start);
}

int place_region(struct orders *orders)
{
    uint64_t granule_mask = orders->granule_bytes - 1;
    uint64_t available;

    if (orders->region_start == NO_START)
        orders->region_start = ((uint64_t)region_floor + granule_mask) & ~granule_mask;
    if (!check_region(orders))
        return 0;
    if (orders->region_start & granule_mask || orders->region_start < (uint64_t)region_floor) {
        refuse_region(orders);
        console_text("start= at a multiple of the granule, at or above ");
        console_hex((uint64_t)region_floor);
        console_text("\n");
        return 0;
    }
    available = ram_from(this_machine, orders->region_start);
    if (orders->region_bytes > available) {
        refuse_region(orders);
        console_text("at most the ");
        console_decimal(available);
        console_text(" bytes of RAM from there on\n");
        return 0;
    }
    return 1;
}

const struct vcpus *platform_vcpus(void)
{
    static const struct vcpus one = { .count = 1 };

    return this_machine->vcpus ? this_machine->vcpus : &one;
}

uint64_t telemetry_physical(void)
{
    return (uint64_t)&telemetry;
}

uint64_t region_physical(const struct orders *orders)
{
    return orders->region_start;
}

void run_dirtier(const struct machine *machine)
{
    this_machine = machine;
    dirtier(machine->command_line, machine->clock_hz);
}
