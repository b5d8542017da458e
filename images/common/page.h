/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written to a page: see "Page layout" in images/README.md. */
#ifndef PAGE_H
#define PAGE_H

#include <stdint.h>

#define PAGE_BYTES 4096

/* Spreads every bit of `value` over the result (the finalizer of SplitMix64, Steele, Lea and Flood 2014). */
static inline uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

void page_write(uint64_t address, uint64_t index, uint64_t epoch, uint64_t seed);

#endif
