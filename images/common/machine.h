/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an architecture's folder provides, and what it hands to dirtier().
 * The linker script places `telemetry` and `region_floor`; all RAM below
 * `region_floor` belongs to this program.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

#define MAX_RAM_RANGES 32
#define CONSOLE_CHUNK 16

struct ram_range {
    uint64_t start;
    uint64_t bytes;
};

struct machine {
    const char *command_line; /* never NULL */
    uint64_t clock_hz;
    unsigned ram_ranges;
    struct ram_range ram[MAX_RAM_RANGES];
};

extern const char arch_name[];
extern char region_floor[];

/* Ticks at machine->clock_hz; stands still while the guest is stopped, if the platform allows it. */
uint64_t arch_clock(void);

/* Lets the processor rest for at most `ticks`; may return at once. */
void arch_sleep(uint64_t ticks);

/* Forgets cached address translations, so that the next write to any page is seen by whoever tracks dirty pages. */
void arch_flush_tlb(void);

/* Writes at most CONSOLE_CHUNK characters without waiting; returns how many were taken. */
unsigned arch_console_write(const char *text, unsigned length);

/* Notes a range of RAM; ranges may come in any order. */
void machine_add_ram(struct machine *machine, uint64_t start, uint64_t bytes);

/* How many bytes of RAM follow `start` without a hole. */
uint64_t machine_ram_from(const struct machine *machine, uint64_t start);

/* Carries out the orders of machine->command_line. */
_Noreturn void dirtier(const struct machine *machine);

#endif
