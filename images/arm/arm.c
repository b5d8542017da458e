/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virt: the device tree at the start of RAM, the PL011 serial port, the generic timer. */
#include "../bare/fdt.h"
#include "../bare/machine.h"
#include "../bare/pl011.h"
#include "mmu.h"

#define MAPPED_BYTES (1ull << 32) /* RAM beyond goes unused */

const char arch_name[] = "arm";

extern const char ram_start[];

uint64_t arch_clock(void)
{
    uint64_t ticks;

    __asm__ volatile("isb\n\tmrrc p15, 1, %Q0, %R0, c14" : "=r"(ticks)::"memory");
    return ticks;
}

/* As on aarch64: what rests in WFI may not wake after a migration. */
void arch_sleep(uint64_t ticks)
{
    (void)ticks;
}

void arch_flush_tlb(void)
{
    __asm__ volatile("dsb\n\tmcr p15, 0, %0, c8, c7, 0\n\tdsb\n\tisb" ::"r"(0) : "memory");
}

unsigned arch_console_write(const char *text, unsigned length)
{
    return pl011_write(text, length);
}

static void keep_what_is_mapped(struct machine *machine)
{
    for (unsigned i = 0; i < machine->ram_ranges; i++) {
        struct ram_range *range = &machine->ram[i];

        if (range->start >= MAPPED_BYTES)
            range->bytes = 0;
        else if (range->bytes > MAPPED_BYTES - range->start)
            range->bytes = MAPPED_BYTES - range->start;
    }
}

_Noreturn void boot(void)
{
    static struct machine machine = { .command_line = "" };
    uint32_t clock_hz;

    mmu_start();
    pl011_start();
    fdt_read(ram_start, &machine);
    keep_what_is_mapped(&machine);
    __asm__ volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(clock_hz));
    machine.clock_hz = clock_hz;
    run_dirtier(&machine);
}
