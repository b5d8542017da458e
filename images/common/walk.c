/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "walk.h"

#include "page.h"

#define ROUNDS 3

void walk_start(struct walk *walk, uint64_t granules, int random, uint64_t seed, uint64_t epoch)
{
    *walk = (struct walk){ .granules = granules, .random = random, .key = mix(mix(seed) + epoch) };
    while (walk->mask < granules - 1) {
        walk->mask = walk->mask * 2 + 1;
        walk->bits++;
    }
}

/* A permutation of 0 … mask: adding, multiplying by an odd number and xor with a right shift can all be undone. */
static uint64_t shuffle(const struct walk *walk, uint64_t value)
{
    uint64_t key = walk->key;

    for (unsigned round = 0; round < ROUNDS; round++) {
        value = (value + key) * 0xbf58476d1ce4e5b9 & walk->mask;
        value ^= value >> (walk->bits / 2 + 1);
        key = key >> 21 | key << 43;
    }
    return value;
}

uint64_t walk_next(struct walk *walk)
{
    uint64_t granule;

    if (!walk->random)
        return walk->position++;
    do /* at most every other value falls outside the region */
        granule = shuffle(walk, walk->position++);
    while (granule >= walk->granules);
    return granule;
}
