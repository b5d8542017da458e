/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without the MMU every access is one to a device.
 * Registers and long descriptors: Arm Architecture Reference Manual for Armv7-A, B3 and B4.
 */
#include "mmu.h"

#include <stdint.h>

#define ENTRIES 4
#define BLOCK 0x1u
#define ACCESSED (1u << 10) /* so that the processor has nothing to note */
#define INNER_SHAREABLE (3u << 8)
#define MEMORY_TYPE(index) ((uint64_t)(index) << 2)
#define NEVER_EXECUTE (3ull << 53)

#define DEVICE 0
#define CACHED 1
#define MAIR0 (0x04u << 8 * DEVICE | 0xffu << 8 * CACHED)
/* Long descriptors, walked through the caches; the lower table is for all 32 bits of address. */
#define TTBCR (1u << 31 | 3u << 12 | 1u << 10 | 1u << 8)
#define SCTLR_MMU_AND_CACHES (1u << 0 | 1u << 2 | 1u << 12)

static uint64_t table[ENTRIES] __attribute__((aligned(32)));

void mmu_start(void)
{
    uint32_t control;

    for (uint64_t gib = 0; gib < ENTRIES; gib++)
        table[gib] = gib << 30 | BLOCK | ACCESSED
                     | (gib ? MEMORY_TYPE(CACHED) | INNER_SHAREABLE : MEMORY_TYPE(DEVICE) | NEVER_EXECUTE);
    __asm__ volatile("mcr p15, 0, %0, c10, c2, 0\n\t"
                     "mcr p15, 0, %1, c2, c0, 2\n\t"
                     "mcrr p15, 0, %2, %3, c2\n\t"
                     "dsb\n\t"
                     "mcr p15, 0, %3, c8, c7, 0\n\t"
                     "mcr p15, 0, %3, c7, c5, 0\n\t"
                     "dsb\n\t"
                     "isb" ::"r"(MAIR0),
                     "r"(TTBCR), "r"(table), "r"(0)
                     : "memory");
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(control));
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb" ::"r"(control | SCTLR_MMU_AND_CACHES) : "memory");
}
