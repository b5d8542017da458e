/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "timer.h"

#include "../bare/machine.h"
#include "interrupts.h"
#include "io.h"

#define PIT_HZ 1193182
#define PIT_CHANNEL0 0x40
#define PIT_COMMAND 0x43
#define PIT_LATCH 0x00
#define PIT_ONE_SHOT 0x30 /* channel 0, both bytes, mode 0 */
#define PIT_RATE 0x34     /* channel 0, both bytes, mode 2 */
#define PIT_MAX 0xffff

#define CALIBRATION (PIT_HZ / 100)
#define TRIES 8

#define PIC1 0x20
#define PIC2 0xa0

void timer_interrupt(void);

static uint64_t tsc_hz;

/* When the counter stood where: known to half of what reading it took. */
struct reading {
    uint64_t tsc;
    uint64_t took;
    uint16_t count;
};

static void pit_set(uint8_t mode, uint16_t count)
{
    outb(PIT_COMMAND, mode);
    outb(PIT_CHANNEL0, count & 0xff);
    outb(PIT_CHANNEL0, count >> 8);
}

/* Of some tries the quickest: the host may take the processor away in the middle of any. */
static struct reading pit_read(void)
{
    struct reading best = { .took = UINT64_MAX };

    for (int i = 0; i < TRIES; i++) {
        uint64_t before = arch_clock(), took;
        uint16_t count;

        outb(PIT_COMMAND, PIT_LATCH);
        took = arch_clock() - before;
        count = inb(PIT_CHANNEL0);
        count |= inb(PIT_CHANNEL0) << 8;
        if (took < best.took)
            best = (struct reading){ before + took / 2, took, count };
    }
    return best;
}

uint64_t timer_tsc_hz(void)
{
    struct reading first, last;
    uint16_t counted;

    pit_set(PIT_RATE, 0); /* counts down from 65536, for 54.9 ms */
    first = pit_read();
    do {
        last = pit_read();
        counted = first.count - last.count;
    } while (counted < CALIBRATION);
    return (last.tsc - first.tsc) * PIT_HZ / counted;
}

void timer_start(uint64_t hz)
{
    tsc_hz = hz;
    interrupt_set(TIMER_VECTOR, timer_interrupt);
    interrupts_load();

    /* 8259: initialise both, vectors from 32 on, the second one at line 2; only line 0 is let through. */
    outb(PIC1, 0x11);
    outb(PIC2, 0x11);
    outb(PIC1 + 1, TIMER_VECTOR);
    outb(PIC2 + 1, TIMER_VECTOR + 8);
    outb(PIC1 + 1, 4);
    outb(PIC2 + 1, 2);
    outb(PIC1 + 1, 1);
    outb(PIC2 + 1, 1);
    outb(PIC1 + 1, 0xfe);
    outb(PIC2 + 1, 0xff);
}

void timer_sleep(uint64_t ticks)
{
    uint64_t count = ticks * PIT_HZ / tsc_hz | 1; /* 0 would stand for 65536 */

    pit_set(PIT_ONE_SHOT, count < PIT_MAX ? count : PIT_MAX);
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}
