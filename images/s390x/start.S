/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entered with address translation and interrupts off (z/Architecture Principles of Operation, chapter 4). */
#define FRAME 160 /* what a called function may save in its caller's frame */

    .section .entry, "ax"
    .globl  _start
_start:
    sam64
    larl    %r15, stack_top - FRAME
    larl    %r2, bss_start
    larl    %r3, bss_end
    lghi    %r0, 0
1:  clgrjhe %r2, %r3, 2f
    stg     %r0, 0(%r2)
    aghi    %r2, 8
    j       1b
2:  brasl   %r14, boot

    .org    0x480 /* where QEMU writes it, up to 0x800 */
    .globl  command_line
command_line:
    .space  0x380

/* void rest(struct psw *wait, struct psw *new): loads `wait`, and returns at the external interrupt. */
    .text
    .globl  rest
rest:
    larl    %r1, 1f
    stg     %r1, 8(%r3)
    lpswe   0(%r2)
1:  br      %r14

    .section .bss
    .balign 8
    .space  8192
stack_top:
