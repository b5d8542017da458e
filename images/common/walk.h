/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which a sweep visits the granules: each exactly once, or, where
 * some are hot, as many as there are, drawn by lot.
 */
#ifndef WALK_H
#define WALK_H

#include <stdint.h>

enum walk_kind { WALK_SEQUENTIAL, WALK_RANDOM, WALK_HOT_COLD };

struct walk {
    enum walk_kind kind;
    uint64_t granules;
    uint64_t mask; /* smallest 2^bits - 1 that covers every granule */
    unsigned bits;
    uint64_t key;
    uint64_t position;
    uint64_t hot_granules; /* the first ones; neither none nor all of them */
    unsigned hot_share_percent;
};

/* For WALK_HOT_COLD the last two fields are to be filled in afterwards. */
void walk_start(struct walk *walk, enum walk_kind kind, uint64_t granules, uint64_t seed, uint64_t epoch);

/* The next granule's index; call it `granules` times per start. */
uint64_t walk_next(struct walk *walk);

#endif
