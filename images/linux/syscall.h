/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux system calls without a C library; a result from -4095 to -1 is an error. Numbers: the kernel's syscall tables. */
#ifndef SYSCALL_H
#define SYSCALL_H

#include <stdint.h>

#if defined(__x86_64__)
enum { SYS_WRITE = 1, SYS_MMAP = 9, SYS_MPROTECT = 10, SYS_PREAD = 17, SYS_NANOSLEEP = 35, SYS_SYSINFO = 99,
       SYS_MLOCK = 149, SYS_CLOCK_GETTIME = 228, SYS_OPENAT = 257 };

static inline long syscall(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return number;
}
#elif defined(__powerpc64__)
enum { SYS_WRITE = 4, SYS_MMAP = 90, SYS_SYSINFO = 116, SYS_MPROTECT = 125, SYS_MLOCK = 150, SYS_NANOSLEEP = 162,
       SYS_PREAD = 179, SYS_CLOCK_GETTIME = 246, SYS_OPENAT = 286 };

static inline long syscall(long number, long a, long b, long c, long d, long e, long f)
{
    register long r0 __asm__("r0") = number;
    register long r3 __asm__("r3") = a;
    register long r4 __asm__("r4") = b;
    register long r5 __asm__("r5") = c;
    register long r6 __asm__("r6") = d;
    register long r7 __asm__("r7") = e;
    register long r8 __asm__("r8") = f;

    /* An error is told by the summary overflow bit, as a positive number. */
    __asm__ volatile("sc\n\t"
                     "bns+ 1f\n\t"
                     "neg %1, %1\n"
                     "1:"
                     : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8)
                     :
                     : "r9", "r10", "r11", "r12", "ctr", "xer", "cr0", "memory");
    return r3;
}
#endif

static inline int is_error(long result)
{
    return result < 0 && result >= -4095;
}

#endif
