/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "interrupts.h"

#include <stdint.h>

#define INTERRUPT_GATE 0x8e00
#define CODE_SELECTOR 8

static struct gate {
    uint16_t offset_low, selector, flags, offset_middle;
    uint32_t offset_high, reserved;
} idt[WAKE_VECTOR + 1];

void interrupt_set(unsigned vector, void (*handler)(void))
{
    uint64_t address = (uint64_t)handler;

    idt[vector] = (struct gate){ .offset_low = address & 0xffff,
                                 .selector = CODE_SELECTOR,
                                 .flags = INTERRUPT_GATE,
                                 .offset_middle = address >> 16 & 0xffff,
                                 .offset_high = address >> 32 };
}

void interrupts_load(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint64_t)idt };

    __asm__ volatile("lidt %0" ::"m"(pointer));
}
