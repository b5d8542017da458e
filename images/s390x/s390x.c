/* SPDX-License-Identifier: GPL-2.0-or-later */
/* s390-ccw-virtio: the service processor, the TOD clock, and the clock comparator that ends a rest. */
#include "../bare/machine.h"
#include "sclp.h"

#define TOD_HZ 4096000000ul /* bit 51 counts microseconds */

#define PSW_64_BIT 0x0000000180000000ul
#define PSW_WAIT 0x0002000000000000ul
#define PSW_EXTERNAL 0x0100000000000000ul
#define EXTERNAL_NEW_PSW 0x1b0ul
#define CR0_CLOCK_COMPARATOR 0x800ul

struct psw {
    uint64_t mask, address;
};

extern const char command_line[];

void rest(const struct psw *wait, volatile struct psw *after);

const char arch_name[] = "s390x";

uint64_t arch_clock(void)
{
    uint64_t ticks;

    __asm__ volatile("stckf %0" : "=Q"(ticks)::"cc");
    return ticks;
}

/* The clock comparator's interrupt is the only one that control register 0 lets through. */
void arch_sleep(uint64_t ticks)
{
    static const struct psw wait = { PSW_64_BIT | PSW_WAIT | PSW_EXTERNAL, 0 };
    volatile struct psw *after = (volatile struct psw *)EXTERNAL_NEW_PSW;
    uint64_t until = arch_clock() + ticks, control = CR0_CLOCK_COMPARATOR;

    after->mask = PSW_64_BIT;
    __asm__ volatile("sckc %0\n\tlctlg %%c0, %%c0, %1" ::"Q"(until), "Q"(control));
    rest(&wait, after);
}

void arch_flush_tlb(void)
{
    __asm__ volatile("ptlb" ::: "memory");
}

unsigned arch_console_write(const char *text, unsigned length)
{
    sclp_console_write(text, length);
    return length;
}

_Noreturn void boot(void)
{
    static struct machine machine = { .command_line = command_line, .clock_hz = TOD_HZ };

    sclp_console_start();
    machine_add_ram(&machine, 0, sclp_ram_bytes());
    run_dirtier(&machine);
}
