/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pseries: the terminal by hypercalls, the clock, the device tree. */
#include "../bare/fdt.h"
#include "../bare/machine.h"
#include "hypercall.h"
#include "open_firmware.h"
#include "vcpus.h"

#define H_PUT_TERM_CHAR 0x58
#define FIRST_TERMINAL 0

const char arch_name[] = "ppc64";

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

    if (open_firmware) {
        open_firmware_read(open_firmware, &machine);
    } else {
        fdt_read(fdt, &machine);
        vcpus_read(fdt);
    }
    machine.vcpus = vcpus_of_machine();
    run_dirtier(&machine);
}
