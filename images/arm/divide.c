/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 64-bit division, which the processor has not got. */
#include <stdint.h>

/* Serves __aeabi_uldivmod in start.S; `divisor` is not 0. */
uint64_t divide(uint64_t dividend, uint64_t divisor, uint64_t *remainder)
{
    uint64_t quotient = 0;

    if (dividend >= divisor)
        for (int bit = __builtin_clzll(divisor) - __builtin_clzll(dividend); bit >= 0; bit--)
            if (dividend >> bit >= divisor) {
                dividend -= divisor << bit;
                quotient |= 1ull << bit;
            }
    *remainder = dividend;
    return quotient;
}
