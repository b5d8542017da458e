/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hypercalls of the Linux on Power Architecture Reference (LoPAR). */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#include <stdint.h>

#define H_SUCCESS 0
#define H_BUSY 1

static inline int64_t hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    register uint64_t r3 __asm__("r3") = number;
    register uint64_t r4 __asm__("r4") = a;
    register uint64_t r5 __asm__("r5") = b;
    register uint64_t r6 __asm__("r6") = c;
    register uint64_t r7 __asm__("r7") = d;

    __asm__ volatile("sc 1"
                     : "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7)
                     :
                     : "r0", "r8", "r9", "r10", "r11", "r12", "ctr", "xer", "lr", "cr0", "cr1", "cr5",
                       "cr6", "cr7", "memory");
    return r3;
}

#endif
