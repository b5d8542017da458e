/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pseries: hypercalls of the Linux on Power Architecture Reference (LoPAR). */
#include "../bare/fdt.h"
#include "../bare/machine.h"
#include "open_firmware.h"

#define H_PUT_TERM_CHAR 0x58
#define H_BUSY 1
#define FIRST_TERMINAL 0

const char arch_name[] = "ppc64";

static int64_t hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    register uint64_t r3 __asm__("r3") = number;
    register uint64_t r4 __asm__("r4") = a;
    register uint64_t r5 __asm__("r5") = b;
    register uint64_t r6 __asm__("r6") = c;
    register uint64_t r7 __asm__("r7") = d;

    __asm__ volatile("sc 1"
                     : "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7)
                     :
                     : "r0", "r8", "r9", "r10", "r11", "r12", "ctr", "xer", "lr", "cr0", "cr1", "cr5",
                       "cr6", "cr7", "memory");
    return r3;
}

uint64_t arch_clock(void)
{
    uint64_t ticks;

    __asm__ volatile("mftb %0" : "=r"(ticks));
    return ticks;
}

/*
 * H_CEDE would be the way to rest, but QEMU 7.2 loses the decrementer's timer
 * when it migrates a guest under TCG: one that rests then never wakes. Later
 * releases start it again (target/ppc/machine.c, cpu_post_load).
 */
void arch_sleep(uint64_t ticks)
{
    (void)ticks;
}

void arch_flush_tlb(void)
{
    __asm__ volatile("slbia\n\tisync" ::: "memory"); /* QEMU then flushes all: helper_SLBIA */
}

unsigned arch_console_write(const char *text, unsigned length)
{
    uint64_t words[CONSOLE_CHUNK / 8] = { 0 };

    for (unsigned i = 0; i < length; i++)
        words[i / 8] |= (uint64_t)(uint8_t)text[i] << (56 - i % 8 * 8);
    /* Any other refusal means that there is no terminal: then the text goes nowhere. */
    return hypercall(H_PUT_TERM_CHAR, FIRST_TERMINAL, length, words[0], words[1]) == H_BUSY ? 0 : length;
}

_Noreturn void boot(const void *fdt, uint64_t open_firmware)
{
    static struct machine machine = { .command_line = "" };

    if (open_firmware)
        open_firmware_read(open_firmware, &machine);
    else
        fdt_read(fdt, &machine);
    run_dirtier(&machine);
}
