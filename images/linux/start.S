/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux starts a program with the stack pointer at argc, argv, environment and auxiliary vector. */
    .text
    .globl  _start
_start:
#if defined(__x86_64__)
    mov     %rsp, %rdi
    and     $-16, %rsp
    call    boot
#elif defined(__powerpc64__)
    mr      3, 1
    lis     2, .TOC.@ha
    addi    2, 2, .TOC.@l
    clrrdi  1, 1, 4
    li      0, 0
    stdu    0, -64(1)
    bl      boot
    nop
#endif
