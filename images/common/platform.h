/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the dirtier runs on provides: a bare machine (see bare/machine.h), or Linux. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "orders.h"

#include <stdint.h>

#define CONSOLE_CHUNK 16

extern const char arch_name[];

/* Ticks of telemetry.clock_hz; stands still while the guest is stopped, if the platform allows it. */
uint64_t arch_clock(void);

/* Lets the processor rest for at most `ticks`; may return at once. */
void arch_sleep(uint64_t ticks);

/* The vCPUs of a machine. A function is only called where there is more than one. */
struct vcpus {
    unsigned count;                /* that can dirty, the one that runs from the beginning among them */
    void (*start)(unsigned count); /* has each of those from 1 to count - 1 call vcpu_main() */
    void (*rest)(void);            /* for these: rests until it is woken; may return at once */
    void (*wake)(void);            /* for vCPU 0: wakes all that rest */
};
const struct vcpus *platform_vcpus(void);

/* Forgets cached address translations, so that the next write to any page is seen by whoever tracks dirty pages. */
void arch_flush_tlb(void);

/* Writes at most CONSOLE_CHUNK characters without waiting; returns how many were taken. */
unsigned arch_console_write(const char *text, unsigned length);

/* Finds room for the region: orders->region_start. If there is none, queues the error line and returns 0. */
int place_region(struct orders *orders);

/* Reads the one order that only this platform has; `place_keys` names it, as in "start=". */
extern const char place_keys[];
int is_place_order(const struct order *order);
int read_place_order(const struct order *order, struct orders *orders);

/* The guest-physical addresses of the telemetry page and of the region; the latter is 0 where its pages lie scattered. */
uint64_t telemetry_physical(void);
uint64_t region_physical(const struct orders *orders);

/* What a further vCPU does. */
_Noreturn void vcpu_main(unsigned vcpu);

/* Carries out the orders of a command line. */
_Noreturn void dirtier(const char *command_line, uint64_t clock_hz);

#endif
