/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virt: the device tree at the start of RAM, the PL011 serial port, the generic timer. */
#include "../bare/fdt.h"
#include "../bare/machine.h"
#include "mmu.h"

#define UART 0x09000000ul /* QEMU: hw/arm/virt.c */
#define UART_DATA (UART + 0x00)
#define UART_FLAGS (UART + 0x18)
#define UART_LINE_CONTROL (UART + 0x2c)
#define UART_CONTROL (UART + 0x30)
#define FLAG_TRANSMIT_FULL 0x20
#define LINE_8N1_FIFO 0x70
#define CONTROL_ENABLE_TRANSMIT 0x101

const char arch_name[] = "aarch64";

extern const char ram_start[];

static volatile uint32_t *port(uint64_t address)
{
    return (volatile uint32_t *)address;
}

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
    unsigned written = 0;

    while (written < length && !(*port(UART_FLAGS) & FLAG_TRANSMIT_FULL))
        *port(UART_DATA) = text[written++];
    return written;
}

_Noreturn void boot(void)
{
    static struct machine machine = { .command_line = "" };

    mmu_start();
    *port(UART_LINE_CONTROL) = LINE_8N1_FIFO;
    *port(UART_CONTROL) = CONTROL_ENABLE_TRANSMIT;
    fdt_read(ram_start, &machine);
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(machine.clock_hz));
    run_dirtier(&machine);
}
