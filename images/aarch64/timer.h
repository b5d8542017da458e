/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic timer's virtual counter, and the interrupt that ends a rest. */
#ifndef TIMER_H
#define TIMER_H

#include <stdint.h>

/* Lets the timer's interrupt through, if the machine has a GICv2, virt's default under TCG. */
void timer_start(void);

/* Rests for at most `ticks`; without a GICv2 it returns at once. */
void timer_sleep(uint64_t ticks);

#endif
