/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU starts an ELF at its entry: EL1, MMU and caches off, no device tree in x0 (hw/arm/boot.c). */
    .text
    .globl  _start
_start:
    ldr     x1, =stack_top
    mov     sp, x1
    ldr     x1, =bss_start
    ldr     x2, =bss_end
1:  cmp     x1, x2
    b.hs    2f
    stp     xzr, xzr, [x1], #16
    b       1b
2:  bl      boot

    .section .bss
    .balign 16
    .space  8192
stack_top:
