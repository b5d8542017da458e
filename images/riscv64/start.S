/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OpenSBI enters in supervisor mode, paging and interrupts off, with the device tree's address in a1. */
    .section .entry, "ax"
    .globl  _start
_start:
    la      sp, stack_top
    la      t0, bss_start
    la      t1, bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, (t0)
    addi    t0, t0, 8
    j       1b
2:  mv      a0, a1
    call    boot

    .section .bss
    .balign 16
    .space  8192
stack_top:
