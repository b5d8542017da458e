/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"

void machine_add_ram(struct machine *machine, uint64_t start, uint64_t bytes)
{
    if (bytes && machine->ram_ranges < MAX_RAM_RANGES)
        machine->ram[machine->ram_ranges++] = (struct ram_range){ start, bytes };
}

uint64_t machine_ram_from(const struct machine *machine, uint64_t start)
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
