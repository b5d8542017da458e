/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virt: the device tree at the start of RAM, the PL011 serial port, the generic timer. */
#include "../bare/fdt.h"
#include "../bare/machine.h"
#include "../bare/pl011.h"
#include "mmu.h"

const char arch_name[] = "aarch64";

extern const char ram_start[];

uint64_t arch_clock(void)
{
    uint64_t ticks;

    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
}

/*
 * WFI with the timer's interrupt let through would be the way to rest. On QEMU
 * 7.2 one guest in some 500 that did so never woke after its migration.
 */
void arch_sleep(uint64_t ticks)
{
    (void)ticks;
}

void arch_flush_tlb(void)
{
    __asm__ volatile("dsb ish\n\ttlbi vmalle1\n\tdsb ish\n\tisb" ::: "memory");
}

unsigned arch_console_write(const char *text, unsigned length)
{
    return pl011_write(text, length);
}

_Noreturn void boot(void)
{
    static struct machine machine = { .command_line = "" };

    mmu_start();
    pl011_start();
    fdt_read(ram_start, &machine);
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(machine.clock_hz));
    run_dirtier(&machine);
}
