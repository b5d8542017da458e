/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "page.h"

#define HEADER_WORDS 4
#define PAYLOAD_WORDS (PAGE_BYTES / 8 - HEADER_WORDS)
/* 2^64 divided by the golden ratio: multiples of it spread evenly, so no byte of the payload repeats often. */
#define STEP 0x9e3779b97f4a7c15
#define EPOCH_STEP 0xd1b54a32d192ed03

/*
 * The payload is an arithmetic sequence with wrap-around: one addition a word
 * is the least a fresh page can cost under TCG, compressors find nothing to
 * gain in it, and its sum needs no second pass.
 */
void page_write(uint64_t address, uint64_t index, uint64_t epoch, uint64_t seed)
{
    uint64_t *word = (uint64_t *)address;
    uint64_t value = mix(index * STEP + epoch * EPOCH_STEP + seed);

    word[0] = index;
    word[1] = epoch;
    word[2] = seed;
    word[3] = index + epoch + seed + PAYLOAD_WORDS * value
              + STEP * (PAYLOAD_WORDS * (PAYLOAD_WORDS - 1) / 2);
#pragma clang loop unroll_count(4)
    for (unsigned i = HEADER_WORDS; i < HEADER_WORDS + PAYLOAD_WORDS; i++) {
        word[i] = value;
        value += STEP;
    }
    __asm__ volatile("" ::: "memory");
}
