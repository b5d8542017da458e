/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an architecture's folder hands to run_dirtier(). Its linker script places `telemetry` and `region_floor`; all
 * RAM below `region_floor` belongs to this program, which sees every address where it is physically.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "../common/platform.h"

#define MAX_RAM_RANGES 32

struct ram_range {
    uint64_t start;
    uint64_t bytes;
};

struct machine {
    const char *command_line; /* never NULL */
    uint64_t clock_hz;
    const struct vcpus *vcpus; /* NULL: only one can dirty */
    unsigned ram_ranges;
    struct ram_range ram[MAX_RAM_RANGES];
};

/* Notes a range of RAM; ranges may come in any order. */
void machine_add_ram(struct machine *machine, uint64_t start, uint64_t bytes);

/* Carries out the orders of machine->command_line. */
_Noreturn void run_dirtier(const struct machine *machine);

#endif
