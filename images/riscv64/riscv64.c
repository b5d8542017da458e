/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virt: the device tree, the 16550 serial port, the `time` counter. */
#include "../bare/fdt.h"
#include "../bare/machine.h"

#define UART 0x10000000ul /* QEMU: hw/riscv/virt.c */
#define UART_DATA (UART + 0)
#define UART_LINE_STATUS (UART + 5)
#define TRANSMITTER_EMPTY 0x20

const char arch_name[] = "riscv64";

static volatile uint8_t *port(uint64_t address)
{
    return (volatile uint8_t *)address;
}

uint64_t arch_clock(void)
{
    uint64_t ticks;

    __asm__ volatile("rdtime %0" : "=r"(ticks));
    return ticks;
}

/*
 * WFI would be the way to rest, but QEMU 7.2 migrates when the timer is due
 * (hw/intc/riscv_aclint.c), not the timer itself: one that rests then never wakes.
 */
void arch_sleep(uint64_t ticks)
{
    (void)ticks;
}

void arch_flush_tlb(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
}

/* OpenSBI has set the port up, with its FIFO, which takes CONSOLE_CHUNK characters when it is empty. */
unsigned arch_console_write(const char *text, unsigned length)
{
    if (!(*port(UART_LINE_STATUS) & TRANSMITTER_EMPTY))
        return 0;
    for (unsigned i = 0; i < length; i++)
        *port(UART_DATA) = text[i];
    return length;
}

_Noreturn void boot(const void *fdt)
{
    static struct machine machine = { .command_line = "" };

    fdt_read(fdt, &machine);
    run_dirtier(&machine);
}
