/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU starts an ELF at its entry: supervisor mode, MMU and caches off, no device tree in r2 (hw/arm/boot.c). */
    .text
    .globl  _start
_start:
    ldr     sp, =stack_top
    ldr     r1, =bss_start
    ldr     r2, =bss_end
    mov     r0, #0
1:  cmp     r1, r2
    strlo   r0, [r1], #4
    blo     1b
    bl      boot

/* What the compiler calls for 64-bit / and %: quotient in r0 and r1, remainder in r2 and r3 (Run-time ABI, 4.3.1). */
    .globl  __aeabi_uldivmod
__aeabi_uldivmod:
    push    {r4, lr}
    sub     sp, sp, #16
    add     r4, sp, #8
    str     r4, [sp]
    bl      divide
    ldrd    r2, r3, [sp, #8]
    add     sp, sp, #16
    pop     {r4, pc}

/* What it calls for a struct that begins as zeros: r1 bytes at r0 (4.3.4). */
    .globl  __aeabi_memclr8
__aeabi_memclr8:
    mov     r2, #0
3:  subs    r1, r1, #1
    strbhs  r2, [r0], #1
    bhs     3b
    bx      lr

    .section .bss
    .balign 16
    .space  8192
stack_top:
