/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which a sweep visits the granules: each exactly once. */
#ifndef WALK_H
#define WALK_H

#include <stdint.h>

struct walk {
    uint64_t granules;
    uint64_t mask; /* smallest 2^bits - 1 that covers every granule */
    unsigned bits;
    int random;
    uint64_t key;
    uint64_t position;
};

void walk_start(struct walk *walk, uint64_t granules, int random, uint64_t seed, uint64_t epoch);

/* The next granule's index; call it `granules` times per start. */
uint64_t walk_next(struct walk *walk);

#endif
