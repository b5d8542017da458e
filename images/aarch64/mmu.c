/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without the MMU every access is one to a device: slow on real processors,
 * and, under KVM, past the caches through which QEMU reads the same RAM.
 * Registers: Arm Architecture Reference Manual for A-profile, D8 and D24.
 */
#include "mmu.h"

#include <stdint.h>

#define ENTRIES 512
#define BLOCK 0x1ul
#define ACCESSED (1ul << 10) /* so that the processor has nothing to note */
#define INNER_SHAREABLE (3ul << 8)
#define MEMORY_TYPE(index) ((uint64_t)(index) << 2)
#define NEVER_EXECUTE (3ul << 53)

#define DEVICE 0
#define CACHED 1
#define MAIR (0x00ul << 8 * DEVICE | 0xfful << 8 * CACHED)
/* 39 bits of address by the lower table, walked through the caches, in 4 KiB granules; no upper one; 40 bits go out. */
#define TCR (25ul | 1ul << 8 | 1ul << 10 | 3ul << 12 | 1ul << 23 | 2ul << 32)
#define SCTLR_MMU_AND_CACHES (1ul << 0 | 1ul << 2 | 1ul << 12)

static uint64_t table[ENTRIES] __attribute__((aligned(4096)));

void mmu_start(void)
{
    uint64_t control;

    for (uint64_t gib = 0; gib < ENTRIES; gib++)
        table[gib] = gib << 30 | BLOCK | ACCESSED
                     | (gib ? MEMORY_TYPE(CACHED) | INNER_SHAREABLE : MEMORY_TYPE(DEVICE) | NEVER_EXECUTE);
    __asm__ volatile("msr mair_el1, %0\n\t"
                     "msr tcr_el1, %1\n\t"
                     "msr ttbr0_el1, %2\n\t"
                     "dsb sy\n\t"
                     "tlbi vmalle1\n\t"
                     "ic iallu\n\t"
                     "dsb sy\n\t"
                     "isb" ::"r"(MAIR),
                     "r"(TCR), "r"(table)
                     : "memory");
    __asm__ volatile("mrs %0, sctlr_el1" : "=r"(control));
    __asm__ volatile("msr sctlr_el1, %0\n\tisb" ::"r"(control | SCTLR_MMU_AND_CACHES) : "memory");
}
