/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 8254 timer's channel 0: it tells the TSC's rate, and its interrupt ends a sleep. */
#ifndef TIMER_H
#define TIMER_H

#include <stdint.h>

/* Measures for 10 ms; returns the TSC's ticks per second. */
uint64_t timer_tsc_hz(void);

/* Sets up interrupt 32 for timer_sleep(). */
void timer_start(uint64_t tsc_hz);

/* Halts for at most `ticks` of the TSC, or 54 ms. */
void timer_sleep(uint64_t ticks);

#endif
