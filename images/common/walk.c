/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "walk.h"

#include "page.h"

#define ROUNDS 3

void walk_start(struct walk *walk, enum walk_kind kind, uint64_t granules, uint64_t seed, uint64_t epoch)
{
    *walk = (struct walk){ .kind = kind, .granules = granules, .key = mix(mix(seed) + epoch) };
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

static uint64_t draw(const struct walk *walk, uint64_t position)
{
    uint64_t lot = mix(walk->key + position);
    uint64_t which = mix(lot);

    if (lot % 100 < walk->hot_share_percent)
        return which % walk->hot_granules;
    return walk->hot_granules + which % (walk->granules - walk->hot_granules);
}

uint64_t walk_next(struct walk *walk)
{
    uint64_t granule;

    if (walk->kind == WALK_SEQUENTIAL)
        return walk->position++;
    if (walk->kind == WALK_HOT_COLD)
        return draw(walk, walk->position++);
    do /* at most every other value falls outside the region */
        granule = shuffle(walk, walk->position++);
    while (granule >= walk->granules);
    return granule;
}
