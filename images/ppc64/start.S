/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two ways in: `-bios` starts at 0x100 with the flattened device tree in r3;
 * SLOF starts a -kernel at its first byte with its client interface in r5.
 * Both in real mode, big-endian (QEMU: hw/ppc/spapr.c, spapr_cpu_core.c).
 */
#define MSR_SF_BIT 63 /* counted from the least significant */

    .section .entry, "ax"
    .globl _start
_start:
    mr      4, 5
    b       common

    .org    0x100
    li      4, 0

common:
    mfmsr   1 /* every way in leaves the processor in its 32-bit mode */
    li      0, 1
    rldimi  1, 0, MSR_SF_BIT, 63 - MSR_SF_BIT
    mtmsrd  1
    isync
    lis     1, stack_top@ha
    addi    1, 1, stack_top@l
    lis     2, .TOC.@ha
    addi    2, 2, .TOC.@l
    lis     5, bss_start@ha
    addi    5, 5, bss_start@l
    lis     6, bss_end@ha
    addi    6, 6, bss_end@l
    li      0, 0
1:  cmpld   5, 6
    bge     2f
    std     0, 0(5)
    addi    5, 5, 8
    b       1b
2:  stdu    0, -64(1)
    bl      boot
    nop

/* RTAS starts a further vCPU here, in 64-bit real mode, with its number in r3. */
    .globl  vcpu_entry
vcpu_entry:
    lis     2, .TOC.@ha
    addi    2, 2, .TOC.@l
    lis     1, vcpu_stacks@ha
    addi    1, 1, vcpu_stacks@l
    sldi    4, 3, 12
    add     1, 1, 4
    li      0, 0
    stdu    0, -64(1)
    bl      vcpu_main
    nop

/* uint32_t of_enter(void *arguments, uint64_t entry): in 32-bit mode, as we were entered. */
    .globl  of_enter
of_enter:
    mflr    0
    std     0, 16(1)
    stdu    1, -64(1)
    std     2, 24(1)
    mfmsr   0
    std     0, 32(1)
    clrldi  0, 0, 1
    mtmsrd  0
    isync
    mtctr   4
    bctrl
    ld      0, 32(1)
    mtmsrd  0
    isync
    ld      2, 24(1)
    addi    1, 1, 64
    ld      0, 16(1)
    mtlr    0
    blr

    .section .bss
    .balign 16
    .space  8192
stack_top:
vcpu_stacks: /* of 4 KiB each, from number 1 on */
    .space  15 * 4096
